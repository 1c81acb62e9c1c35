import assert from "node:assert/strict";
import type { ConformanceCase } from "../conformance-case.ts";
import { type Wish, withPassword } from "../scenario.ts";
import { formsOf } from "../secret-text.ts";

interface Occasion {
  readonly is: string;
  readonly wish: Wish;
}

/** What goes wrong only where the secret is a JSON object. */
const jsonOccasions: readonly Occasion[] = [
  { is: "success", wish: { text: (secret) => JSON.stringify({ ...secret, apiKey: "key-of-an-api-51c0ffee" }) } },
  { is: "a secret that is not JSON", wish: { text: () => "q7Zt9Lw2" } },
  { is: "a password of a wrong type", wish: { text: withPassword({}, ["in-an-array-4711"]) } },
];

const neverWritten: ConformanceCase = {
  name: "no secret value is in any log, error or event of any scenario, in any of its usual encodings",
  promise: 3,
  async run(harness, report) {
    const occasions: readonly Occasion[] = [
      ...(harness.options.text === "plain" ? [{ is: "success", wish: {} }] : jsonOccasions),
      ...harness.target.hostile.passwords.map((password) => ({ is: "a hostile password", wish: { password } })),
      { is: "a refused password", wish: { text: withPassword(harness.options, "not-the-password") } },
      { is: "a secret that ends early", wish: { text: (secret) => JSON.stringify(secret).slice(0, -1) } },
    ];
    await harness.each(
      occasions,
      ({ is }) => is,
      async (scenario) => {
        const rotation = await scenario.startRotation();
        // Whether the steps succeed is judged elsewhere.
        for (const step of ["createSecret", "setSecret", "testSecret"] as const) await scenario.run(step, rotation);
        await scenario.lane.database.play("resets");
        for (const step of ["setSecret", "testSecret", "finishSecret"] as const) await scenario.run(step, rotation);
      },
      ({ wish }) => wish,
    );
    const serverLog = await harness.target.serverLog?.();
    assert.notEqual(serverLog, "", "The server's log is empty");
    if (serverLog === undefined) report("not judged (the target does not give it): the server's own log");
    let looks = 0;
    for (const { written, secrets } of harness.transcripts) {
      const texts = { written: written.join("\n"), "in the server's log": serverLog ?? "" };
      for (const secret of new Set(secrets)) {
        for (const form of formsOf(secret)) {
          looks++;
          for (const [where, text] of Object.entries(texts)) {
            const at = text.indexOf(form);
            const around = text.slice(Math.max(0, at - 200), at + form.length + 50);
            assert.equal(at, -1, `A secret value was ${where} (in the form ${form}): ${around}`);
          }
        }
      }
    }
    const logs = serverLog === undefined ? "" : ` and ${serverLog.split("\n").length} lines of the server's log`;
    report(`${harness.transcripts.length} transcripts${logs}, ${looks} looks for secret values`);
  },
};

export const secrecyCases = [neverWritten] as const;
