import { frozenServerTest } from "@quarterturn-tools/test/frozen-server";
import { contextOf, single, startFixture } from "./fixture.ts";

frozenServerTest(14, startFixture, contextOf, single);
