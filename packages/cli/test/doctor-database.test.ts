/** What the checks of `doctor` say of facts about the database. */
import { RotationError } from "@quarterturn/core";
import { describe, expect, test } from "vitest";
import { admin } from "../src/doctor/checks/admin.ts";
import { dns } from "../src/doctor/checks/dns.ts";
import { login } from "../src/doctor/checks/login.ts";
import { plaintext } from "../src/doctor/checks/plaintext.ts";
import { tcp } from "../src/doctor/checks/tcp.ts";
import { tls } from "../src/doctor/checks/tls.ts";
import { twin } from "../src/doctor/checks/twin.ts";
import type { Facts } from "../src/doctor/facts.ts";
import { seen } from "../src/doctor/seen.ts";
import { products } from "../src/engines.ts";
import { database, factsWith, failing, functionWith, say, unseen } from "./doctor-facts.ts";

const redshift = products.find(({ manifest }) => manifest.name === "redshift");
const mysql = products.find(({ manifest }) => manifest.name === "rds-mysql");
const refused = (cause: object) => new RotationError("privilege", "refused", "Do this.", { cause });

describe("from this machine", () => {
  test.each<[string, object, string]>([
    [
      "db.example",
      { addresses: ["10.0.9.5", "93.184.216.34"] },
      "pass | db.example is 10.0.9.5 (private), 93.184.216.34, on this machine",
    ],
    [
      "db.example",
      { addresses: ["fd00::5", "172.15.0.1"] },
      "pass | db.example is fd00::5 (private), 172.15.0.1, on this machine",
    ],
    [
      "db.x.eu-central-1.rds.amazonaws.com",
      { addresses: "ENOTFOUND" },
      "not known | this machine finds no address of db.x.eu-central-1.rds.amazonaws.com (ENOTFOUND) | Look for it inside",
    ],
    ["db.x.eu-central-1.rds.amazonaws.com", { addresses: "EAI_AGAIN" }, "not known | this machine finds no address"],
    [
      "db.internal",
      { addresses: "ENOTFOUND" },
      "not known | this machine finds no address of db.internal (ENOTFOUND) | A name of a private zone",
    ],
  ])("DNS: %s %j", (host, server, said) => expect(say(dns, { value: database({ host }), server })).toContain(said));

  test.each<[string, string, string]>([
    ["connected", "10.0.9.5", "pass | answers, from this machine"],
    ["ECONNREFUSED", "93.184.216.34", "fail | nothing listens at db.example:5432, from this machine | Start"],
    ["ECONNREFUSED", "10.0.9.5", "not known | db.example:5432 is private, and is reached from inside of its VPC only"],
    [
      "ETIMEDOUT",
      "10.0.9.5",
      "not known | db.example:5432 is private, and is reached from inside of its VPC only (ETIMEDOUT) | Run this inside",
    ],
    [
      "EHOSTUNREACH",
      "93.184.216.34",
      "not known | no connection to db.example:5432 from this machine (EHOSTUNREACH); the function may have one",
    ],
  ])("TCP: %s %s", (connection, address, said) =>
    expect(say(tcp, { server: { connection, addresses: [address] } })).toContain(said),
  );

  test.each<[Facts["value"], unknown, string, string]>([
    [database(), "accepted", "pass | the certificate is verified, from this machine", "pass | nobody needs it"],
    [database(), "rejected", "pass | the certificate is verified, from this machine", "pass | nobody needs it"],
    [
      database(),
      failing("privilege"),
      "not known | the server ended the login, maybe before the connection was encrypted",
      "not known | the server ended the login",
    ],
    [database(), failing("busy"), "not known | the server ended the login", "not known | the server ended the login"],
    [
      database(),
      failing("timeout"),
      "not known | it is timeout | Run this where the database is reached",
      "not known | it is timeout",
    ],
    [
      database(),
      failing("tls"),
      "fail | it is tls | Do this.",
      "fail | AWS's functions would try this server in plaintext, and not say so | Quarterturn's refuse. Mend TLS",
    ],
    [
      database({ ssl: true }),
      failing("tls"),
      "fail | it is tls | Do this.",
      'pass | no function uses it, since the secret says "ssl": true',
    ],
    [
      database({ ssl: true, ...(redshift && { product: redshift }) }),
      failing("tls"),
      "fail | it is tls",
      "fail | AWS's functions would try this server in plaintext",
    ],
    [
      database({ ssl: false }),
      "accepted",
      'pass | none, since the secret says "ssl": false',
      'pass | the secret allows it: "ssl": false',
    ],
  ])("TLS and plaintext: %#", (value, outcome, ofTls, ofPlaintext) => {
    const facts = { value, server: { addresses: [], connection: "connected", login: outcome } };
    expect(say(tls, facts)).toContain(ofTls);
    expect(say(plaintext, facts)).toContain(ofPlaintext);
  });

  test.each<[unknown, string]>([
    ["accepted", 'pass | AWSCURRENT logs in at db.example:5432 (as "app")'],
    [
      "rejected",
      'fail | AWSCURRENT is refused at db.example:5432 (as "app") | See which version works: quarterturn recover shop',
    ],
    [failing("privilege"), "fail | it is privilege | Do this."],
    [failing("tls"), 'not looked at | it takes that "TLS" passes'],
    [failing("timeout"), 'not looked at | it takes that "TLS" passes'],
    [refused({ errno: 1130 }), "not known | refused, from this machine; the function comes from elsewhere | Do this."],
    [
      refused({ code: "28000", message: "kein pg_hba.conf-Eintrag für Host »10.0.0.1«, Benutzer »app«" }),
      "not known | refused, from this machine; the function comes from elsewhere | Do this.",
    ],
    [refused({ code: "28000", message: 'role "app" is not permitted to log in' }), "fail | refused | Do this."],
    [
      failing("busy"),
      "not known | it is busy | Try again in a minute; if it stays so, look for who holds the server's connections.",
    ],
  ])("login: %#", (outcome, said) => expect(say(login, { server: { login: outcome } })).toBe(said));

  test("login: recover wants rotation to be off", () => {
    const facts = { server: { login: "rejected" }, secret: { state: "ROTATION_IN_PROGRESS" } };
    expect(say(login, facts)).toMatch(/: quarterturn cancel shop \(rotation is on\), then quarterturn recover shop$/);
  });
});

test("an authority that only the function knows: whether it trusts the server is not known here", () => {
  const cause = Object.assign(new Error("no"), { code: "SELF_SIGNED_CERT_IN_CHAIN" });
  const login = new RotationError("tls", "unknown authority", "Do this.", { cause });
  const facts = { server: { addresses: [], connection: "connected", login }, admin: { login: seen(login) } };
  const trusting = functionWith({ Environment: { Variables: { NODE_EXTRA_CA_CERTS: "/opt/ca.pem" } } });
  for (const check of [tls, plaintext, admin]) {
    expect(say(check, facts)).toMatch(/^fail /);
    expect(say(check, { ...facts, rotationFunction: trusting })).toMatch(
      /^not known \| the server's certificate authority is not known on this machine; .*NODE_EXTRA_CA_CERTS here, too/,
    );
  }
  const expired = { server: { ...facts.server, login: failing("tls") }, rotationFunction: trusting };
  expect(say(tls, expired)).toBe("fail | it is tls | Do this.");
});

test("MySQL says the same of a wrong password and of another host's account", () => {
  const facts = { value: database(mysql && { product: mysql }), server: { login: "rejected" } };
  expect(say(login, facts)).toMatch(/is refused at .*, or has no account for this machine's address \| See which/);
  const ofAdmin = { login: seen({ is: "rejected", where: "db (as boss)" }) };
  expect(say(admin, { ...facts, admin: ofAdmin })).toMatch(/, or has no account for this machine's address \|/);
});

test("an admin's login that is refused for this machine's address is not known", () => {
  expect(say(admin, { admin: { login: seen(refused({ errno: 1130 })) } })).toMatch(/^not known \| refused, from this/);
});

test("a server that takes no change fails the login of a user that is to change its own password", () => {
  const readOnly = new RotationError("unsupported", "the server is read-only", "Put the writer's host in.");
  expect(say(login, { server: { login: "accepted", readOnly } })).toBe(
    "fail | the server is read-only | Put the writer's host in.",
  );
});

test("with the Data API no login of this machine's says anything", () => {
  const rotationFunction = functionWith({ Environment: { Variables: { REDSHIFT_TRANSPORT: "data-api" } } });
  const facts = factsWith({ strategy: "multi-user", rotationFunction });
  for (const check of [tcp, tls, plaintext, login, admin]) expect(check.moot?.(facts)).toMatch(/uses the Data API/);
  for (const check of [tcp, tls, plaintext, login, admin])
    expect(check.moot?.(factsWith({ strategy: "multi-user" }))).toBeUndefined();
});

describe("the admin and the twin", () => {
  const logsIn = (pair: object) => seen({ is: "accepted", where: "db (as boss)", pair });
  const lacking = { what: "boss may not", advice: "GRANT it" };
  const known = { admin: "able", twin: "known", twinDefines: [] };
  test.each<[unknown, string, string]>([
    [undefined, "not looked at | the database is not reached", "not looked at | it takes that the admin logs in"],
    [unseen, "not known | you may not", "not looked at | it takes that the admin logs in"],
    [
      seen({ is: "rejected", where: "db (as boss)" }),
      "fail | the admin is refused at db (as boss) | Correct",
      "not looked at | it takes",
    ],
    [seen(failing("privilege")), "fail | it is privilege | Do this.", "not looked at | it takes"],
    [
      seen(failing("busy")),
      "not known | it is busy | Try again in a minute; if it stays so, look for who holds the server's connections.",
      "not looked at | it takes",
    ],
    [
      logsIn({ ...known, admin: "unproven" }),
      "pass | logs in at db (as boss); whether it may change both users shows when it does",
      'pass | "app_clone" is the twin of "app"',
    ],
    [logsIn({ ...known, admin: lacking }), "fail | boss may not | GRANT it", 'pass | "app_clone" is the twin of "app"'],
    [
      logsIn({ ...known, twin: "none" }),
      "pass | logs in at db (as boss), and may change both users",
      'pass | "app_clone" does not exist yet',
    ],
    [
      logsIn({ ...known, twin: "unproven" }),
      "pass | logs in",
      'pass | "app_clone" exists, and does not say whose twin it is | The next rotation takes it on',
    ],
    [logsIn({ ...known, twinFault: lacking }), "pass | logs in", "fail | boss may not | GRANT it"],
    [logsIn({ ...known, twinHint: lacking }), "pass | logs in", "pass | boss may not | GRANT it"],
    [logsIn({ ...known, twinHint: lacking, twinFault: lacking }), "pass | logs in", "fail | boss may not | GRANT it"],
    [
      logsIn({ ...known, twinDefines: ["view a.b"] }),
      "pass | logs in",
      'pass | "app_clone" is the twin of "app", and has | Who drops that user breaks these.',
    ],
  ])("%#", (found, ofAdmin, ofTwin) => {
    const facts = { strategy: "multi-user", admin: { login: found } };
    expect(say(admin, facts)).toContain(ofAdmin);
    expect(say(twin, facts)).toContain(ofTwin);
  });

  test("where the function's settings are not seen, what they may say is not known", () => {
    const hidden = { rotationFunction: { ...functionWith({}), configuration: unseen } };
    const login = seen(new RotationError("wrong-target", "another server", "Do this."));
    expect(say(admin, { admin: { login } })).toBe("fail | another server | Do this.");
    expect(say(admin, { admin: { login }, ...hidden })).toBe("not known | another server | Do this.");
    expect(say(admin, { admin: { login: seen(failing("privilege")) }, ...hidden })).toMatch(/^fail /);
    expect(admin.moot?.(factsWith({}))).toMatch(/^single-user/);
    expect(admin.moot?.(factsWith(hidden))).toMatch(
      /^the secret names no admin, and what the function names is not seen/,
    );
    expect(admin.moot?.(factsWith({ strategy: "multi-user" }))).toBeUndefined();
  });

  test("a name that the other user cannot have", () => {
    const named = (username: string) => {
      const value = { host: "db.example", port: 5432, username, password: "p", userKeys: {}, ssl: true };
      return { value: database({ value }), admin: { login: logsIn(known) } };
    };
    expect(say(twin, named("x".repeat(58)))).toMatch(
      /^fail \| The second user .* 64 bytes, and PostgreSQL allows 63 \| Use/,
    );
    expect(say(twin, named("x".repeat(57)))).toMatch(/^pass /);
    expect(say(twin, named("_clone"))).toMatch(/^fail \| The user "_clone" is nobody's twin/);
  });

  test("names that a user of the database chose neither steer the terminal nor fill it", () => {
    const twinDefines = Array.from({ length: 23 }, (_, n) => `view a.\u001b[2J${n}`);
    const finding = twin.look(
      factsWith({ strategy: "multi-user", admin: { login: logsIn({ ...known, twinDefines }) } }),
    );
    const { list = [] } = "list" in finding ? finding : {};
    expect(list).toHaveLength(21);
    expect(list.slice(19)).toEqual(["view a. [2J19", "and 3 more"]);
  });

  test("what the twin has is a list", () => {
    const facts = factsWith({
      strategy: "multi-user",
      admin: { login: logsIn({ ...known, twinDefines: ["view a.b"] }) },
    });
    expect(twin.look(facts)).toMatchObject({ list: ["view a.b"] });
  });
});
