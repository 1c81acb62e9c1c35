import { type Document, deserialize, serialize } from "bson";

/**
 * A message of MongoDB's protocol.
 * @see https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/
 */
export interface MongoMessage {
  readonly bytes: Buffer;
  readonly requestId: number;
  /** What it says: a command or an answer; undefined where it is a request in the legacy form, which only a first hello has. */
  readonly body: Document | undefined;
  /** What a request in the legacy form says. */
  readonly hello?: Document;
  /** Whether the sender waits for an answer. */
  readonly wantsReply: boolean;
}

const HEADER = 16;
const OP_MSG = 2013;
/** The legacy forms of a request, and of the answer to it. */
const OP_QUERY = 2004;
const OP_REPLY = 1;
/** Where the document begins. Drivers send the command first, and long lists of documents after it. */
const DOCUMENT = { [OP_MSG]: HEADER + 5, [OP_REPLY]: HEADER + 20 };
const MORE_TO_COME = 2;
/** The messages of a stream of bytes. @throws Error for bytes that are none */
export async function* mongoMessages(source: AsyncIterable<Buffer>): AsyncGenerator<MongoMessage, undefined> {
  let rest = Buffer.alloc(0);
  for await (const chunk of source) {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= HEADER) {
      const length = rest.readInt32LE(0);
      const isKnown = [OP_MSG, OP_QUERY, OP_REPLY].includes(rest.readInt32LE(12));
      if (length < HEADER || !isKnown) throw new Error("These bytes are not MongoDB's protocol.");
      if (rest.length < length) break;
      yield parse(rest.subarray(0, length));
      rest = rest.subarray(length);
    }
  }
  return undefined;
}

function parse(bytes: Buffer): MongoMessage {
  const requestId = bytes.readInt32LE(4);
  const kind = bytes.readInt32LE(12);
  if (kind === OP_QUERY) {
    // After the flags and the collection's name, which ends with a zero, two numbers.
    const start = bytes.indexOf(0, HEADER + 4) + 9;
    const hello = deserialize(bytes.subarray(start, start + bytes.readInt32LE(start)), { promoteValues: false });
    return { bytes, requestId, body: undefined, hello, wantsReply: true };
  }
  const wantsReply = kind === OP_REPLY || (bytes.readUInt32LE(HEADER) & MORE_TO_COME) === 0;
  const start = DOCUMENT[kind as keyof typeof DOCUMENT];
  const body = deserialize(bytes.subarray(start, start + bytes.readInt32LE(start)), { promoteValues: false });
  return { bytes, requestId, body, wantsReply };
}

/** The same message with another document. */
export function withDocument({ bytes }: MongoMessage, body: Document): Buffer {
  const head = bytes.subarray(0, DOCUMENT[bytes.readInt32LE(12) as keyof typeof DOCUMENT]);
  const message = Buffer.concat([head, serialize(body)]);
  message.writeInt32LE(message.length, 0);
  return message;
}

/** A message with one document, as an answer to another message or as a request. */
export function mongoMessage(body: Document, ids: { requestId?: number; responseTo?: number }): Buffer {
  const document = serialize(body);
  const head = Buffer.alloc(HEADER + 5);
  head.writeInt32LE(head.length + document.length, 0);
  head.writeInt32LE(ids.requestId ?? 0, 4);
  head.writeInt32LE(ids.responseTo ?? 0, 8);
  head.writeInt32LE(OP_MSG, 12);
  return Buffer.concat([head, document]);
}
