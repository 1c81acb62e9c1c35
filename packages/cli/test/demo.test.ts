import { expect, test } from "vitest";
import { quarterturn } from "./command-line.ts";

test("demo rotates a key three times while an application uses it, and no request is refused", async () => {
  const { code, stdout, stderr } = await quarterturn(["demo"]);
  expect(code).toBe(0);
  const steadily = `${stdout}---\n${stderr}`.replaceAll(/\b\d+(?= requests)|(?<=until now: )\d+/g, "N");
  expect(steadily).toMatchInlineSnapshot(`
    "3 rotations, N requests of the application, 0 refused.

    Your own rotations: quarterturn local serves such a Secrets Manager, quarterturn
    apps lists what there is for AWS. To see PostgreSQL and others rotated:
    npm run demo, in a clone of https://github.com/quarterturn/quarterturn.
    ---
    A service that knows API keys, a Secrets Manager, and a rotation function: all
    in this process. An application reads the secret and uses its key all the time.

    Rotation 1
      createSecret  has the service issue a key, and stores it as AWSPENDING
      setSecret     sees that it is of the same account as AWSCURRENT's
      testSecret    uses it once, as the application will
      finishSecret  moves AWSCURRENT to it; keys before AWSPREVIOUS's are revoked
      Valid keys: 1, 2. Requests until now: N, refused: 0

    Rotation 2
      createSecret  has the service issue a key, and stores it as AWSPENDING
      setSecret     sees that it is of the same account as AWSCURRENT's
      testSecret    uses it once, as the application will
      finishSecret  moves AWSCURRENT to it; keys before AWSPREVIOUS's are revoked
      Valid keys: 2, 3. Requests until now: N, refused: 0

    Rotation 3
      createSecret  has the service issue a key, and stores it as AWSPENDING
      setSecret     sees that it is of the same account as AWSCURRENT's
      testSecret    uses it once, as the application will
      finishSecret  moves AWSCURRENT to it; keys before AWSPREVIOUS's are revoked
      Valid keys: 3, 4. Requests until now: N, refused: 0

    "
  `);
  expect(Math.max(...steadily.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
});

test("demo --json is what was counted", async () => {
  const { stdout } = await quarterturn(["demo", "--json"]);
  const { requests, ...rest } = JSON.parse(stdout) as { requests: number };
  expect(requests).toBeGreaterThanOrEqual(3);
  expect(rest).toMatchObject({
    succeeded: 3,
    refused: 0,
    rotations: [{ validKeys: [1, 2] }, { validKeys: [2, 3] }, { validKeys: [3, 4] }],
  });
});
