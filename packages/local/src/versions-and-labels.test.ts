import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  attachLabel,
  attachLabelsOfNewValue,
  detachLabel,
  dropOldestDeprecated,
  holderOf,
  type Labelled,
  rotationInProgress,
} from "./versions-and-labels.ts";

/** "a:AWSCURRENT b:AWSPENDING,mine c:" */
const versions = (text: string): Labelled[] =>
  text.split(" ").map((part) => {
    const [id = "", labels = ""] = part.split(":");
    return { id, labels: labels === "" ? [] : labels.split(",") };
  });

const shown = (list: readonly Labelled[]) => list.map(({ id, labels }) => `${id}:${labels.join(",")}`).join(" ");

describe("moving a label", () => {
  it.each([
    ["a:AWSCURRENT b:AWSPENDING", "AWSCURRENT", "b", "a:AWSPREVIOUS b:AWSCURRENT,AWSPENDING"],
    ["a:AWSPREVIOUS b:AWSCURRENT c:AWSPENDING", "AWSCURRENT", "c", "a: b:AWSPREVIOUS c:AWSCURRENT,AWSPENDING"],
    ["a:AWSPREVIOUS b:AWSCURRENT", "AWSCURRENT", "a", "a:AWSCURRENT b:AWSPREVIOUS"],
    ["a:AWSCURRENT b:AWSPREVIOUS", "AWSCURRENT", "a", "a:AWSCURRENT b:AWSPREVIOUS"],
    ["a:AWSCURRENT,AWSPENDING b:", "AWSPENDING", "b", "a:AWSCURRENT b:AWSPENDING"],
    ["a:AWSCURRENT,mine b:AWSPENDING", "AWSCURRENT", "b", "a:AWSPREVIOUS,mine b:AWSCURRENT,AWSPENDING"],
    ["a:AWSCURRENT b:", "mine", "b", "a:AWSCURRENT b:mine"],
    ["a: b:", "AWSCURRENT", "a", "a:AWSCURRENT b:"],
  ])("%s, %s to %s: %s", (before, label, to, after) => {
    expect(shown(attachLabel(versions(before), label, to))).toBe(after);
  });

  it("takes a label away without giving it to another version", () => {
    expect(shown(detachLabel(versions("a:AWSCURRENT b:AWSPENDING,mine"), "AWSPENDING"))).toBe("a:AWSCURRENT b:mine");
  });
});

describe("the labels of a new value", () => {
  it.each([
    ["a:AWSCURRENT b:", ["AWSCURRENT"], "b", "a:AWSPREVIOUS b:AWSCURRENT"],
    ["a:AWSCURRENT b:AWSPENDING c:", ["AWSCURRENT"], "c", "a:AWSPREVIOUS b: c:AWSCURRENT"],
    ["a:AWSPREVIOUS b:AWSCURRENT,AWSPENDING c:", ["AWSCURRENT"], "c", "a: b:AWSPREVIOUS c:AWSCURRENT"],
    ["a:AWSCURRENT b:AWSPENDING c:", ["mine"], "c", "a:AWSCURRENT b:AWSPENDING c:mine"],
    ["a:AWSCURRENT b:one,two c:", ["two", "four"], "c", "a:AWSCURRENT b:one c:four,two"],
    ["a:AWSCURRENT b:AWSPENDING c:", ["AWSPENDING"], "c", "a:AWSCURRENT b: c:AWSPENDING"],
  ])("%s, %j on %s: %s", (before, labels, to, after) => {
    expect(shown(attachLabelsOfNewValue(versions(before), labels, to))).toBe(after);
  });
});

describe("whether a rotation is in progress", () => {
  it.each([
    ["a:AWSCURRENT", false],
    ["a:AWSCURRENT b:AWSPENDING", true],
    ["a:AWSPREVIOUS b:AWSCURRENT,AWSPENDING", false],
    ["a:AWSCURRENT b:AWSPENDING,AWSPREVIOUS", true],
    ["a:AWSPENDING", true],
  ])("%s: %s", (labels, inProgress) => {
    expect(rotationInProgress(versions(labels))).toBe(inProgress);
  });
});

describe("deprecated versions", () => {
  it("drops the oldest first, and never a version with a label", () => {
    expect(shown(dropOldestDeprecated(versions("a:AWSPREVIOUS b: c: d:AWSCURRENT"), 3))).toBe(
      "a:AWSPREVIOUS c: d:AWSCURRENT",
    );
    expect(shown(dropOldestDeprecated(versions("a:x b:y c:z"), 2))).toBe("a:x b:y c:z");
  });
});

it("keeps every label on one version at most, and AWSPREVIOUS on the last version that AWSCURRENT left", () => {
  const ids = fc.constantFrom("a", "b", "c", "d");
  const labels = fc.constantFrom("AWSCURRENT", "AWSPENDING", "mine");
  const moves = fc.array(fc.tuple(labels, ids), { maxLength: 30 });
  fc.assert(
    fc.property(moves, (history) => {
      let list = versions("a: b: c: d:");
      let left: string | undefined;
      for (const [label, to] of history) {
        const current = holderOf(list, "AWSCURRENT")?.id;
        if (label === "AWSCURRENT" && current !== undefined && current !== to) left = current;
        list = attachLabel(list, label, to);
        const all = list.flatMap((version) => version.labels);
        expect(new Set(all).size).toBe(all.length);
        expect(holderOf(list, label)?.id).toBe(to);
        expect(holderOf(list, "AWSPREVIOUS")?.id).toBe(left);
      }
    }),
  );
});
