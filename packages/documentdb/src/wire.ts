import type { Socket } from "node:net";
import { type Document, deserialize, serialize } from "bson";

/** A server's answer that it did not do what a command says. */
export class ServerError extends Error {
  override readonly name = "ServerError";
  /** @see https://www.mongodb.com/docs/manual/reference/error-codes/ */
  readonly code: number;

  constructor(answer: Document) {
    super(String(answer.errmsg ?? "no reason given"));
    this.code = Number(answer.code ?? 0);
  }
}

/** MongoDB's protocol over a connected socket: commands, one at a time. */
export interface Wire {
  /**
   * What the server answers; numbers keep their type of BSON.
   *
   * @throws ServerError where it did not do it; Error where the connection ended, or brought something else
   */
  command(database: string, command: Document): Promise<Document>;
}

/** @see https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/#op_msg */
const OP_MSG = 2013;
const headerBytes = 16;
/** Flags of 32 bits, and the kind of the section that holds the one document of a command or an answer. */
const prefixBytes = headerBytes + 5;
/** Bytes. What a rotation asks for is one user at most. */
const longestAnswer = 1_000_000;

export function wireOver(socket: Socket): Wire {
  let requestId = 0;
  let received = Buffer.alloc(0);
  let failure: Error | undefined;
  let waiting: { resolve(answer: Document): void; reject(error: Error): void } | undefined;

  function fail(error: Error): void {
    failure ??= error;
    waiting?.reject(failure);
    waiting = undefined;
  }

  function take(chunk: Buffer): void {
    received = Buffer.concat([received, chunk]);
    if (received.length < headerBytes) return;
    const length = received.readInt32LE(0);
    const isAnswer = received.readInt32LE(12) === OP_MSG && received.readInt32LE(8) === requestId;
    try {
      if (!isAnswer || length < prefixBytes) throw new Error("its header is another's");
      if (length > longestAnswer) throw new Error(`its answer is ${length} bytes long`);
      if (received.length < length) return;
      waiting?.resolve(deserialize(received.subarray(prefixBytes, length), { promoteValues: false, bsonRegExp: true }));
      waiting = undefined;
      received = received.subarray(length);
    } catch (cause) {
      fail(new Error("what answers there does not speak MongoDB's protocol", { cause }));
      socket.destroy();
    }
  }

  socket.on("data", take);
  socket.on("error", fail);
  socket.on("close", () => fail(new Error("the server ended the connection")));

  return {
    async command(database, command) {
      if (failure) throw failure;
      const document = serialize({ ...command, $db: database });
      const prefix = Buffer.alloc(prefixBytes);
      prefix.writeInt32LE(prefixBytes + document.length, 0);
      prefix.writeInt32LE(++requestId, 4);
      prefix.writeInt32LE(OP_MSG, 12);
      const answer = await new Promise<Document>((resolve, reject) => {
        waiting = { resolve, reject };
        socket.write(Buffer.concat([prefix, document]));
      });
      if (Number(answer.ok) !== 1) throw new ServerError(answer);
      return answer;
    },
  };
}
