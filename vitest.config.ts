import { configDefaults, defineConfig } from "vitest/config";
import { LongestFirst } from "./tools/test/src/longest-first.ts";
import { leaveOutTests } from "./tools/test/src/selected-engines.ts";

const condition = "@quarterturn/source";

export default defineConfig({
  ssr: { resolve: { conditions: [condition, "node"], externalConditions: [condition, "node"] } },
  test: {
    include: ["{packages,tools}/*/{src,test}/**/*.test.ts", "packages/*/examples/*/{src,test}/**/*.test.ts"],
    exclude: [...configDefaults.exclude, ...leaveOutTests(process.env)],
    environment: "node",
    // Much of the time is waiting for servers and for processes that start.
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
    // What Lambda gives a function; the local endpoint takes any credentials.
    env: { AWS_REGION: "us-east-1", AWS_ACCESS_KEY_ID: "local", AWS_SECRET_ACCESS_KEY: "local" },
    testTimeout: 30_000,
    hookTimeout: 300_000,
    // Children that tests start from source resolve packages the same way.
    execArgv: [`--conditions=${condition}`],
  },
});
