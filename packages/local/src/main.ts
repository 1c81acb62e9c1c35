#!/usr/bin/env node
import { Command } from "commander";
import { type ServeFlags, serve, withServeOptions } from "./serve.ts";

const program = withServeOptions(
  new Command("quarterturn-local").description(
    "A local AWS Secrets Manager endpoint that really rotates. It prints its URL when it is ready.",
  ),
);

try {
  const { url } = await serve(program.parse().opts<ServeFlags>());
  process.stdout.write(`${url}\n`);
} catch (error) {
  const [firstLine] = (error instanceof Error ? error.message : String(error)).split("\n");
  program.error(`error: ${firstLine}`);
}
