import { describe, expect, test } from "vitest";
import { booleanSetting, choiceSetting, coreSettings, integerSetting, listSetting } from "./settings.ts";

describe("settings of the environment", () => {
  test("words for true and false, in any case, as AWS's functions take them", () => {
    for (const word of ["true", "1", "y", "YES", " True "]) expect(booleanSetting({ X: word }, "X", false)).toBe(true);
    for (const word of ["false", "0", "n", "No"]) expect(booleanSetting({ X: word }, "X", true)).toBe(false);
    expect(booleanSetting({}, "X", true)).toBe(true);
    expect(booleanSetting({ X: "" }, "X", true)).toBe(true);
  });

  test("a word that means nothing is an error that names the variable, and never a silent false", () => {
    expect(() => booleanSetting({ EXCLUDE_NUMBERS: "ja" }, "EXCLUDE_NUMBERS", false)).toThrow(
      /EXCLUDE_NUMBERS must be true or false/,
    );
  });

  test("whole numbers within their limits", () => {
    const limits = { min: 1, max: 10 };
    expect(integerSetting({ X: "10" }, "X", 3, limits)).toBe(10);
    expect(integerSetting({}, "X", 3, limits)).toBe(3);
    for (const value of ["0", "11", "1.5", "1e1", "-1", "ten"])
      expect(() => integerSetting({ X: value }, "X", 3, limits)).toThrow(/X must be a whole number from 1 to 10/);
  });

  test("one of some words", () => {
    expect(choiceSetting({ X: "warn" }, "X", "INFO", ["INFO", "WARN"])).toBe("WARN");
    expect(() => choiceSetting({ X: "loud" }, "X", "INFO", ["INFO", "WARN"])).toThrow(/X must be one of INFO, WARN/);
  });

  test("lists by commas and white space", () => {
    expect(listSetting({ X: " a, b\nc,,d " }, "X")).toEqual(["a", "b", "c", "d"]);
    expect(listSetting({}, "X")).toEqual([]);
  });

  test("core's own: defaults, and Lambda's log level unless LOG_LEVEL says otherwise", () => {
    expect(coreSettings({})).toEqual({ endpoint: undefined, earlyPromotion: false, logLevel: "INFO" });
    expect(coreSettings({ AWS_LAMBDA_LOG_LEVEL: "WARN" }).logLevel).toBe("WARN");
    expect(coreSettings({ AWS_LAMBDA_LOG_LEVEL: "WARN", LOG_LEVEL: "debug" }).logLevel).toBe("DEBUG");
    expect(coreSettings({ SECRETS_MANAGER_ENDPOINT: "" }).endpoint).toBeUndefined();
  });

  test("Lambda's two other levels mean the nearest of ours: the console offers them, and no rotation shall stop for it", () => {
    expect(coreSettings({ AWS_LAMBDA_LOG_LEVEL: "TRACE" }).logLevel).toBe("DEBUG");
    expect(coreSettings({ AWS_LAMBDA_LOG_LEVEL: "FATAL" }).logLevel).toBe("ERROR");
    expect(() => coreSettings({ LOG_LEVEL: "TRACE" })).toThrow(/LOG_LEVEL must be one of DEBUG, INFO, WARN, ERROR/);
  });
});
