import { describe } from "vitest";
import { measuring } from "./measuring.ts";

describe("mariadb", () => measuring("mariadb"));
