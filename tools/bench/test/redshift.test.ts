import { describe } from "vitest";
import { measuring } from "./measuring.ts";

describe("redshift", () => measuring("redshift"));
