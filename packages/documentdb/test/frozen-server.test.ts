import { frozenServerTest } from "@quarterturn-tools/test/frozen-server";
import { contextOf, single, startFixture, startTimeout } from "./fixture.ts";

frozenServerTest(14, startFixture, contextOf, single, startTimeout);
