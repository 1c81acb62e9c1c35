import type { Check } from "./check.ts";
import { admin } from "./checks/admin.ts";
import { dns } from "./checks/dns.ts";
import { rotationFunction } from "./checks/function.ts";
import { invocation } from "./checks/invocation.ts";
import { key } from "./checks/key.ts";
import { login } from "./checks/login.ts";
import { pending } from "./checks/pending.ts";
import { plaintext } from "./checks/plaintext.ts";
import { role } from "./checks/role.ts";
import { schedule } from "./checks/schedule.ts";
import { secret } from "./checks/secret.ts";
import { tcp } from "./checks/tcp.ts";
import { tls } from "./checks/tls.ts";
import { twin } from "./checks/twin.ts";
import { vpcToAws } from "./checks/vpc-to-aws.ts";
import { vpcToDatabase } from "./checks/vpc-to-database.ts";

/** All of them, in the order in which a rotation would meet them. */
export const checks: readonly Check[] = [
  secret,
  rotationFunction,
  invocation,
  role,
  vpcToAws,
  vpcToDatabase,
  dns,
  tcp,
  tls,
  plaintext,
  login,
  admin,
  twin,
  pending,
  schedule,
  key,
];
