import { describe, expect, test } from "vitest";
import { type Mechanism, scramClient } from "./scram.ts";

/** The vectors of MongoDB's specification of authentication, whose users are `user` with the password `pencil`. */
const vectors: readonly {
  mechanism: Mechanism;
  nonce: string;
  serverFirst: string;
  final: string;
  serverFinal: string;
}[] = [
  {
    mechanism: "SCRAM-SHA-1",
    nonce: "fyko+d2lbbFgONRv9qkxdawL",
    serverFirst: "r=fyko+d2lbbFgONRv9qkxdawLHo+Vgk7qvUOKUwuWLIWg4l/9SraGMHEE,s=rQ9ZY3MntBeuP3E1TDVC4w==,i=10000",
    final: "c=biws,r=fyko+d2lbbFgONRv9qkxdawLHo+Vgk7qvUOKUwuWLIWg4l/9SraGMHEE,p=MC2T8BvbmWRckDw8oWl5IVghwCY=",
    serverFinal: "v=UMWeI25JD1yNYZRMpZ4VHvhZ9e0=",
  },
  {
    mechanism: "SCRAM-SHA-256",
    nonce: "rOprNGfwEbeRWgbNEkqO",
    serverFirst: "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
    final: "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
    serverFinal: "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
  },
];

describe.each(vectors)("$mechanism", ({ mechanism, nonce, serverFirst, final, serverFinal }) => {
  const begin = () => scramClient(mechanism, { username: "user", password: "pencil" }, nonce);

  test("says what the specification's example says, and takes the server's proof and no other", async () => {
    const client = begin();
    expect(client.first).toBe(`n,,n=user,r=${nonce}`);
    expect(client.isProof(serverFinal)).toBe(false);
    expect(await client.final(serverFirst)).toBe(final);
    expect(client.isProof(serverFinal)).toBe(true);
    expect(client.isProof(serverFinal.replace("=", "=A"))).toBe(false);
    expect(client.isProof("v=")).toBe(false);
    expect(client.isProof("e=other-error")).toBe(false);
  });

  test("gives no proof to a server that takes another nonce, or asks for few iterations", async () => {
    for (const bad of [
      serverFirst.replace("r=", "r=x"),
      `r=${nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`,
      serverFirst.replace(/i=\d+/, "i=4095"),
      serverFirst.replace(/,i=\d+/, ""),
      serverFirst.replace(/,s=[^,]*/, ""),
      "",
    ]) {
      await expect(begin().final(bad), bad).rejects.toThrow(/not SCRAM's|iterations/);
    }
  });
});

test("every comma and equals sign of a name is written as SCRAM demands", () => {
  const { first } = scramClient("SCRAM-SHA-256", { username: "a=b,c=d,e", password: "p" }, "nonce");
  expect(first).toBe("n,,n=a=3Db=2Cc=3Dd=2Ce,r=nonce");
});

test("with SHA-256, passwords that SASLprep takes for the same are the same", async () => {
  const [, { nonce, serverFirst }] = vectors as [unknown, (typeof vectors)[number]];
  const proofOf = (mechanism: Mechanism, password: string) =>
    scramClient(mechanism, { username: "user", password }, nonce).final(serverFirst);
  expect(await proofOf("SCRAM-SHA-256", "I\u00adX")).toBe(await proofOf("SCRAM-SHA-256", "Ⅸ"));
  expect(await proofOf("SCRAM-SHA-1", "I\u00adX")).not.toBe(await proofOf("SCRAM-SHA-1", "IX"));
  // One that it prohibits is not an error of its own: no server has stored it.
  await proofOf("SCRAM-SHA-256", "bell\u0007");
});
