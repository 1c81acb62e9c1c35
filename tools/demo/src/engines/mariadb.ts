import { startMariadb } from "@quarterturn-tools/engines";
import type { DemoEngine } from "../engine.ts";
import { databaseStory, onePassword } from "../story.ts";
import { mysqlHandlers, startMysqlServer } from "./mysql.ts";

/** rds-mysql has one strategy for it. */
export const engine: DemoEngine = {
  story: databaseStory("MariaDB", "rds-mysql", [
    {
      ...onePassword,
      text: `${onePassword.text}\n(For the multi-user strategy, which has none, the server must be MySQL.)`,
    },
  ]),
  handlers: mysqlHandlers,
  isFetched: true,
  start: () => startMysqlServer("MariaDB", startMariadb, []),
};
