import { describe } from "vitest";
import { measuring } from "./measuring.ts";

describe("postgres", () => measuring("postgres"));
