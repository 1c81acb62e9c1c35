import { createHash, createHmac, pbkdf2Sync } from "node:crypto";
import { Binary, type Document } from "bson";
import { describe, expect, test } from "vitest";
import { authenticate } from "./authentication.ts";
import { ServerError, type Wire } from "./wire.ts";

const login = {
  host: "h",
  port: 1,
  username: "user",
  password: "pencil",
  userKeys: { authSource: "shop" },
  tls: false as const,
};

/** A server that gives these answers, the first one to the hello; a function gets the message that it answers. */
function serverSaying(...answers: readonly ((command: Document) => Document)[]) {
  const asked: { database: string; command: Document }[] = [];
  const wire: Wire = {
    async command(database, command) {
      asked.push({ database, command });
      const answer = answers[asked.length - 1]?.(command);
      if (!answer) throw new Error("Nothing was expected.");
      return answer;
    },
  };
  return { asked, login: () => authenticate(wire, login, "h:1") };
}

const binary = (text: string) => new Binary(Buffer.from(text));
const textOf = (command: Document) => Buffer.from(command.payload.value()).toString();
/** Takes the client's nonce, and adds one of its own. */
const started = (command: Document) => ({
  conversationId: 7,
  payload: binary(`${/r=.*/.exec(textOf(command))?.[0]}server,s=${btoa("salt")},i=4096`),
});
/** What a server that has the password says to the client's proof: RFC 5802, with the password's digest in place of the password. */
const proofFor = (command: Document) => {
  const hmac = (key: Buffer, text: string) => createHmac("sha1", key).update(text).digest();
  const secret = createHash("md5").update(`${login.username}:mongo:${login.password}`).digest("hex");
  const withoutProof = textOf(command).replace(/,p=.*/, "");
  const nonce = /r=(.*)/.exec(withoutProof)?.[1] ?? "";
  const first = `n=${login.username},r=${nonce.replace(/server$/, "")}`;
  const message = `${first},r=${nonce},s=${btoa("salt")},i=4096,${withoutProof}`;
  const salted = pbkdf2Sync(secret, "salt", 4096, 20, "sha1");
  return `v=${hmac(hmac(salted, "Server Key"), message).toString("base64")}`;
};

describe("a login", () => {
  test("asks for the mechanisms of the user of its database, and takes the strongest", async () => {
    const offering = serverSaying(() => ({ saslSupportedMechs: ["SCRAM-SHA-1", "SCRAM-SHA-256"] }));
    await expect(offering.login()).rejects.toThrow("Nothing was expected.");
    expect(offering.asked).toMatchObject([
      { database: "admin", command: { saslSupportedMechs: "shop.user" } },
      { database: "shop", command: { saslStart: 1, mechanism: "SCRAM-SHA-256" } },
    ]);
    const silent = serverSaying(() => ({}));
    await expect(silent.login()).rejects.toThrow();
    expect(silent.asked[1]?.command.mechanism).toBe("SCRAM-SHA-1");
  });

  test("of a user without a password is unsupported, in words", async () => {
    const { login: logIn, asked } = serverSaying(() => ({ saslSupportedMechs: ["MONGODB-AWS"] }));
    await expect(logIn()).rejects.toMatchObject({
      code: "unsupported",
      what: "h:1: the user logs in by MONGODB-AWS, and not by a password",
    });
    expect(asked).toHaveLength(1);
  });

  test("at a server that does not prove that it knows the password is an error, although it says that the user is in", async () => {
    for (const payload of ["v=AAAA", "", "e=other-error"]) {
      const { login: logIn } = serverSaying(
        () => ({}),
        started,
        () => ({ done: true, payload: binary(payload) }),
      );
      await expect(logIn()).rejects.toMatchObject({
        code: "database",
        message: expect.stringMatching(/did not prove/),
      });
    }
  });

  describe("once it is in", () => {
    const proven = (command: Document) => ({ done: true, payload: binary(proofFor(command)) });
    const answering = (status: (command: Document) => Document) => serverSaying(() => ({}), started, proven, status);
    const status =
      (...authenticatedUsers: Document[]) =>
      () => ({ authInfo: { authenticatedUsers } });

    test("has the authentication database that the server says, and the secret's where it says none", async () => {
      const at = (authSource: string) => ({ ...login, userKeys: { authSource } });
      expect(await answering(status({ user: "user", db: "admin" })).login()).toEqual(at("admin"));
      const unknown = () => {
        throw new ServerError({ code: 303, errmsg: "Feature not supported" });
      };
      for (const nothing of [status(), status({ user: "user" }), () => ({}), unknown])
        expect(await answering(nothing).login()).toEqual(at("shop"));
    });

    test("is refused where the server says that it is another's", async () => {
      await expect(answering(status({ user: "other", db: "shop" })).login()).rejects.toMatchObject({
        code: "wrong-target",
        what: 'h:1: the server says that this session is of "other" of shop',
      });
    });
  });

  test.each([-301, 334])(
    "goes on by the other mechanism where the server does not have one (error %i)",
    async (code) => {
      const unavailable = () => {
        throw new ServerError({ code, errmsg: "Unsupported mechanism" });
      };
      for (const [offered, tried] of [
        [["SCRAM-SHA-256"], ["SCRAM-SHA-256", "SCRAM-SHA-1"]],
        [undefined, ["SCRAM-SHA-1", "SCRAM-SHA-256"]],
      ]) {
        const server = serverSaying(() => ({ saslSupportedMechs: offered }), unavailable, unavailable);
        await expect(server.login()).rejects.toMatchObject({
          code: "unsupported",
          what: "h:1: the server has neither SCRAM-SHA-256 nor SCRAM-SHA-1",
        });
        expect(server.asked.slice(1).map(({ command }) => command.mechanism)).toEqual(tried);
      }
    },
  );

  test("ends after the one empty message that an older server wants, whatever the server says", async () => {
    const proof = (command: Document) => ({ done: false, payload: binary(proofFor(command)) });
    const server = serverSaying(
      () => ({}),
      started,
      proof,
      () => ({ done: false }),
      () => ({ done: true }),
    );
    await expect(server.login()).rejects.toMatchObject({ message: expect.stringMatching(/does not end the login/) });
    expect(server.asked).toHaveLength(4);
  });

  test.each([11, 18])("is rejected by error %i", async (code) => {
    const refuse = () => {
      throw new ServerError({ code, errmsg: "Authentication failed." });
    };
    expect(await serverSaying(() => ({}), refuse).login()).toBe("rejected");
    expect(await serverSaying(() => ({}), started, refuse).login()).toBe("rejected");
  });
});
