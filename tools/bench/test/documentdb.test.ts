import { describe } from "vitest";
import { measuring } from "./measuring.ts";

describe("documentdb", () => measuring("documentdb"));
