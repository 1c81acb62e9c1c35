/** The demo with an admin secret whose password is wrong. */
import { demo } from "../src/demo.ts";
import { engine } from "../src/engines/postgres.ts";
import { createScreen } from "../src/screen.ts";

using screen = createScreen(process.stdout, process.env);
const { signal } = new AbortController();
process.exitCode = (await demo({ engine, screen, signal, adminSecretPassword: "not-the-admins-password" })) ? 0 : 1;
