import { lookup } from "node:dns/promises";
import { BlockList, connect } from "node:net";
import { RotationError } from "@quarterturn/core";
import { loginOf } from "@quarterturn/database";
import type { Context } from "../context.ts";
import { rotationContext } from "../login.ts";
import type { Secret } from "../secret.ts";
import type { Database } from "./secret-value.ts";

/** What this machine sees of the database's server. Each is looked at only where the one before it was found. */
export interface Server {
  /** What the host's name means in this machine's DNS; or the code of the resolver's error. */
  readonly addresses: readonly string[] | string;
  /** `connected`, or the code of the error, `ETIMEDOUT` where nothing answered in time. */
  readonly connection?: string;
  /** What became of a login with AWSCURRENT, as testSecret of the function does it. */
  readonly login?: "accepted" | "rejected" | RotationError;
  /** Why this user's own session cannot change its password, as setSecret of a single-user function would. */
  readonly readOnly?: RotationError;
}

/** How long a connection may take, in milliseconds. */
const CONNECT_MS = 5_000;

/** What the function does with the server. */
export interface Use {
  /** Whether the function reaches it by an API of AWS. */
  readonly isByApi: boolean;
  /** Whether the function's admin changes the password, maybe at another host; or that is not known. */
  readonly isWrittenElsewhere: boolean;
  /** Whether the secret alternates between two users, of which the second is to act as the first. */
  readonly isOfPair: boolean;
}

export async function lookAtServer(
  context: Context,
  secret: Secret,
  version: Database,
  { isByApi, isWrittenElsewhere, isOfPair }: Use,
): Promise<Server> {
  const { host, port } = version.value;
  const addresses = await lookup(host, { all: true }).then(
    (found) => found.map(({ address }) => address),
    (error: NodeJS.ErrnoException) => error.code ?? error.message,
  );
  if (typeof addresses === "string" || isByApi) return { addresses };
  const connection = await connectionTo(host, port, context.io.signal);
  context.io.signal.throwIfAborted();
  if (connection !== "connected") return { addresses, connection };
  const login = await logIn(context, secret, version, isOfPair);
  if (login !== "accepted" || isWrittenElsewhere) return { addresses, connection, login };
  const readOnly = await whyReadOnly(context, secret, version);
  return { addresses, connection, login, ...(readOnly && { readOnly }) };
}

function connectionTo(host: string, port: number, signal: AbortSignal): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const end = (how: string) => {
      socket.destroy();
      signal.removeEventListener("abort", abort);
      resolve(how);
    };
    const abort = () => end("ABORTED");
    signal.addEventListener("abort", abort);
    socket.setTimeout(CONNECT_MS, () => end("ETIMEDOUT"));
    socket.once("connect", () => end("connected"));
    socket.once("error", (error: NodeJS.ErrnoException) => end(error.code ?? error.message));
  });
}

async function logIn(
  context: Context,
  secret: Secret,
  { product, value }: Database,
  isOfPair: boolean,
): Promise<NonNullable<Server["login"]>> {
  try {
    const engine = await product.load();
    const answer = await engine.probe(loginOf(value), rotationContext(context, secret), isOfPair);
    return answer === "rejected" ? answer : "accepted";
  } catch (error) {
    if (error instanceof RotationError) return error;
    throw error;
  }
}

/** Logs in as setSecret does. What else keeps that login from being is the probe's to tell. */
async function whyReadOnly(
  context: Context,
  secret: Secret,
  { product, value }: Database,
): Promise<RotationError | undefined> {
  try {
    const engine = await product.load();
    const session = await engine.login(loginOf(value), rotationContext(context, secret));
    if (session === "rejected") return undefined;
    try {
      await session.requireWriter?.();
    } finally {
      await session.close();
    }
    return undefined;
  } catch (error) {
    if (error instanceof RotationError) return error.code === "unsupported" ? error : undefined;
    throw error;
  }
}

/** Networks that are not part of the internet: what has such an address is reached from its own network only. */
const privateNetworks = new BlockList();
for (const [network, prefix] of [
  ["10.0.0.0", 8],
  ["172.16.0.0", 12],
  ["192.168.0.0", 16],
  ["100.64.0.0", 10],
] as const)
  privateNetworks.addSubnet(network, prefix);
privateNetworks.addSubnet("fc00::", 7, "ipv6");

export const isPrivate = (address: string): boolean =>
  privateNetworks.check(address, address.includes(":") ? "ipv6" : "ipv4");
