import { describe } from "vitest";
import { measuring } from "./measuring.ts";

describe("mysql", () => measuring("mysql"));
