import { unfinishedVersion } from "@quarterturn/core";
import { lengthOf } from "../../times.ts";
import { type Check, fail, pass } from "../check.ts";
import { isReplica } from "./function.ts";

export const pending: Check = {
  name: "AWSPENDING",
  moot: isReplica,
  look({ id, secret: { versions, state, lastChanged }, now, next }) {
    const version = unfinishedVersion(versions);
    if (version === undefined) return pass("no rotation is unfinished");
    const since = lastChanged ? ` for ${lengthOf(now.getTime() - lastChanged.getTime())}` : "";
    if (state === "ROTATION_IN_PROGRESS") return pass(`a rotation to version ${version} is in progress`);
    return fail(
      `stuck${since}: version ${version}`,
      `It blocks every later rotation. When the reason is gone: ${next("cancel", id, "--clear-pending")}`,
    );
  },
};
