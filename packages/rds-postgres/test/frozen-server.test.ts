import { frozenServerTest } from "@quarterturn-tools/test/frozen-server";
import { contextOf, single, startFixture } from "./fixture.ts";

frozenServerTest(20, startFixture, contextOf, single);
