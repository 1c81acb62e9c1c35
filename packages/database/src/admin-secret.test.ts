import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { deadlineOf, jsonLog, type RotationContext } from "@quarterturn/core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { adminLogin } from "./admin-secret.ts";
import { rdsDirectory } from "./rds-directory.ts";
import { databaseSettings } from "./settings.ts";

const manifest = {
  name: "rds-example",
  title: "Example",
  engines: ["postgres"],
  port: 5432,
  dbname: "postgres",
  excludeCharacters: "",
  settings: [],
  verifiedAgainst: [],
};
const directory = rdsDirectory(manifest.engines);
const region = "abc123.us-east-1.rds.amazonaws.com";
const secret = {
  host: "db.example",
  port: 5432,
  username: "app",
  password: "p",
  userKeys: {},
  ssl: true,
  masterarn: "arn:admin",
};

/**
 * Imitates the RDS API (DescribeDBInstances, DescribeDBClusters in its query protocol), which nothing that runs here offers: answers from
 * the tables below, and refuses what they do not hold as RDS does.
 */
const instances: Record<string, string> = {
  primary: `<Engine>postgres</Engine><Endpoint><Address>primary.${region}</Address><Port>5432</Port></Endpoint>`,
  replica: `<Engine>postgres</Engine><Endpoint><Address>replica.${region}</Address><Port>5432</Port></Endpoint><ReadReplicaSourceDBInstanceIdentifier>primary</ReadReplicaSourceDBInstanceIdentifier>`,
  stranger: `<Engine>postgres</Engine><Endpoint><Address>stranger.${region}</Address><Port>5432</Port></Endpoint>`,
  member: `<Engine>aurora-postgresql</Engine><Endpoint><Address>member.${region}</Address><Port>5432</Port></Endpoint><DBClusterIdentifier>aurora</DBClusterIdentifier>`,
  starting: "<Engine>postgres</Engine>",
  oracle: `<Engine>oracle-ee</Engine><Endpoint><Address>oracle.${region}</Address><Port>1521</Port></Endpoint>`,
};
const clusters: Record<string, string> = {
  aurora: `<Engine>postgres</Engine><Endpoint>aurora.cluster-${region}</Endpoint><ReaderEndpoint>aurora.cluster-ro-${region}</ReaderEndpoint><Port>5433</Port>`,
};
let rds: Server;
let asked: string[] = [];
beforeAll(async () => {
  rds = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    const form = new URLSearchParams(body);
    const action = form.get("Action") ?? "";
    const isCluster = action === "DescribeDBClusters";
    const kind = isCluster ? "DBCluster" : "DBInstance";
    const id = (form.get(`${kind}Identifier`) ?? "").split(":").at(-1) ?? "";
    asked.push(`${action} ${id}`);
    const found = (isCluster ? clusters : instances)[id];
    if (id.startsWith("silent")) return;
    if (id === "denied") {
      response.writeHead(403, { "content-type": "text/xml" });
      response.end(
        "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>not authorized to perform rds:DescribeDBInstances</Message></Error></ErrorResponse>",
      );
    } else if (found === undefined) {
      response.writeHead(404, { "content-type": "text/xml" });
      response.end(
        `<ErrorResponse><Error><Type>Sender</Type><Code>${kind}NotFound${isCluster ? "Fault" : ""}</Code><Message>not found</Message></Error></ErrorResponse>`,
      );
    } else {
      response.writeHead(200, { "content-type": "text/xml" });
      response.end(
        `<${action}Response><${action}Result><${kind}s><${kind}><${kind}Identifier>${id}</${kind}Identifier>${found}</${kind}></${kind}s></${action}Result></${action}Response>`,
      );
    }
  });
  await new Promise<void>((resolve) => rds.listen(0, "127.0.0.1", resolve));
  process.env.AWS_ENDPOINT_URL_RDS = `http://127.0.0.1:${(rds.address() as AddressInfo).port}`;
});
afterAll(() => {
  rds.closeAllConnections();
  rds.close();
});

function login(options: {
  host?: string;
  port?: number;
  admin?: object;
  tags?: Record<string, string>;
  env?: Record<string, string>;
  masterarn?: string | undefined;
  remainingMs?: number;
}) {
  asked = [];
  const { masterarn: _, ...withoutArn } = secret;
  const arn = "masterarn" in options ? options.masterarn : secret.masterarn;
  const current = {
    ...withoutArn,
    host: options.host ?? secret.host,
    port: options.port ?? secret.port,
    ...(arn === undefined ? {} : { masterarn: arn }),
  };
  const context: RotationContext = {
    secretId: "arn:secret",
    token: "token",
    deadline: deadlineOf(() => options.remainingMs ?? 10_000),
    log: jsonLog(
      () => {},
      "ERROR",
      {},
      (text) => text,
    ),
    readSecret: async (id) =>
      id === "arn:admin"
        ? JSON.stringify({ username: "boss", password: "boss-password", ...options.admin })
        : Promise.reject(new Error(`asked for ${id}`)),
    describeSecret: async () => ({ tags: options.tags ?? {} }),
    requirePending: async () => undefined,
  };
  return adminLogin(current, current, manifest, directory, databaseSettings(options.env ?? {}, manifest), context);
}

describe("the admin's login", () => {
  test("is at the admin secret's server, which is the secret's", async () => {
    expect(await login({ admin: { host: "DB.example" } })).toMatchObject({
      host: "DB.example",
      port: 5432,
      username: "boss",
      dbname: "postgres",
      secretArn: "arn:admin",
    });
    expect(asked).toEqual([]);
  });

  test("is found by SUPERUSER_SECRET_ARN where the secret names none", async () => {
    expect(
      await login({ masterarn: undefined, env: { SUPERUSER_SECRET_ARN: "arn:admin" }, admin: { host: "db.example" } }),
    ).toMatchObject({ username: "boss" });
  });

  test("without any admin secret is refused with both ways to name one", async () => {
    await expect(login({ masterarn: undefined })).rejects.toMatchObject({
      code: "bad-secret",
      message: expect.stringMatching(/masterarn.*SUPERUSER_SECRET_ARN/),
    });
  });

  test("of another ARN than AWSCURRENT's is refused", async () => {
    const current = { ...secret, masterarn: "arn:other" };
    const refused = adminLogin(
      current,
      secret,
      manifest,
      directory,
      databaseSettings({}, manifest),
      {} as RotationContext,
    );
    await expect(refused).rejects.toMatchObject({
      code: "wrong-target",
      message: expect.stringMatching(/different admin secrets/),
    });
  });

  test("of another engine is refused", async () => {
    await expect(login({ admin: { host: "db.example", engine: "mysql" } })).rejects.toMatchObject({
      code: "bad-secret",
      message: expect.stringMatching(/admin secret arn:admin cannot be used \(engine must be postgres/),
    });
  });
});

describe("the confused-deputy guard (promise 4, weakness 10)", () => {
  const allowed: readonly [string, Parameters<typeof login>[0]][] = [
    ["a read replica of the admin's instance", { host: `replica.${region}`, admin: { host: `primary.${region}` } }],
    [
      "the instance whose replica the admin secret names",
      { host: `primary.${region}`, admin: { host: `replica.${region}` } },
    ],
    [
      "the reader endpoint of the admin's cluster",
      { host: `aurora.cluster-ro-${region}`, admin: { host: `aurora.cluster-${region}` } },
    ],
    ["a member of the admin's cluster", { host: `member.${region}`, admin: { host: `aurora.cluster-${region}` } }],
    [
      "a host that the function's operator listed",
      { host: "cname.example", admin: { host: "db.example" }, env: { ALLOWED_HOSTS: "other.example, CNAME.example" } },
    ],
  ];
  for (const [name, options] of allowed)
    test(`${name} is accepted`, async () => expect(await login(options)).toMatchObject({ username: "boss" }));

  const refused: readonly [string, Parameters<typeof login>[0], string[]][] = [
    ["a host that says nothing about itself", { host: "cname.example", admin: { host: "db.example" } }, []],
    ["another port of the same host", { port: 5433, admin: { host: "db.example" } }, []],
    [
      "another port of the admin's replica",
      { host: `replica.${region}`, port: 5433, admin: { host: `primary.${region}` } },
      [],
    ],
    [
      "an instance whose name an admin's host of somewhere else has too",
      { host: `primary.${region}`, admin: { host: "primary.example" } },
      [],
    ],
    [
      "another instance",
      { host: `stranger.${region}`, admin: { host: `primary.${region}` } },
      ["DescribeDBInstances stranger", "DescribeDBInstances primary"],
    ],
    [
      "an instance of the same name in another account or region",
      { host: "replica.zzz999.eu-west-1.rds.amazonaws.com", admin: { host: `primary.${region}` } },
      ["DescribeDBInstances replica"],
    ],
    [
      "an instance that does not exist",
      { host: `nowhere.${region}`, admin: { host: `nowhere2.${region}` } },
      ["DescribeDBInstances nowhere"],
    ],
    [
      "a host that merely begins like one of RDS",
      { host: `replica.${region}.attacker.example`, admin: { host: `primary.${region}` } },
      [],
    ],
    [
      "a cluster's endpoint of another cluster",
      { host: `other.cluster-ro-${region}`, admin: { host: `aurora.cluster-${region}` } },
      ["DescribeDBClusters other"],
    ],
  ];
  for (const [name, options, expected] of refused) {
    test(`${name} is refused`, async () => {
      await expect(login(options)).rejects.toMatchObject({
        code: "wrong-target",
        message: expect.stringMatching(/is not the admin secret's.*ALLOWED_HOSTS/),
      });
      expect(asked.sort()).toEqual(expected.sort());
    });
  }

  test("an RDS API that does not answer is told before the deadline (promise 5)", async () => {
    const started = Date.now();
    const silent = login({ host: `silent.${region}`, admin: { host: `silent-2.${region}` }, remainingMs: 1_000 });
    await expect(silent).rejects.toMatchObject({
      code: "timeout",
      message: expect.stringMatching(/RDS did not answer DescribeDBInstances/),
    });
    expect(Date.now() - started).toBeLessThan(1_000);
  });

  test("RDS's refusal names the right that is missing", async () => {
    await expect(login({ host: `denied.${region}`, admin: { host: `primary.${region}` } })).rejects.toMatchObject({
      code: "privilege",
      message: expect.stringMatching(/rds:DescribeDBInstances/),
    });
  });
});

describe("an admin secret that RDS manages", () => {
  const arn = (id: string) => `arn:aws:rds:us-east-1:1:db:${id}`;

  test("is completed from its instance's tag", async () => {
    const answer = await login({ host: `primary.${region}`, tags: { "aws:rds:primaryDBInstanceArn": arn("primary") } });
    expect(answer).toMatchObject({ host: `primary.${region}`, port: 5432, username: "boss" });
    expect(asked).toEqual(["DescribeDBInstances primary"]);
  });

  test("is completed from its cluster's tag, port included", async () => {
    const answer = await login({
      host: `aurora.cluster-${region}`,
      port: 5433,
      tags: { "aws:rds:primaryDBClusterArn": "arn:aws:rds:us-east-1:1:cluster:aurora" },
    });
    expect(answer).toMatchObject({ host: `aurora.cluster-${region}`, port: 5433 });
  });

  test("without such a tag, of a database that is not there yet, or of another engine is refused", async () => {
    await expect(login({})).rejects.toMatchObject({
      code: "bad-secret",
      message: expect.stringMatching(/has no host, and no tag of RDS/),
    });
    await expect(login({ tags: { "aws:rds:primaryDBInstanceArn": arn("starting") } })).rejects.toMatchObject({
      code: "bad-secret",
      message: expect.stringMatching(/no endpoint of/),
    });
    await expect(login({ tags: { "aws:rds:primaryDBInstanceArn": arn("oracle") } })).rejects.toMatchObject({
      code: "wrong-target",
      message: expect.stringMatching(/of engine oracle-ee/),
    });
  });
});
