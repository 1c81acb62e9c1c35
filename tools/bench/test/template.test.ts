import { describe } from "vitest";
import { measuring } from "./measuring.ts";

describe("template", () => measuring("template"));
