import { type Check, fail, notKnown, pass } from "../check.ts";
import { findingOf } from "./role.ts";

/** The secret's key. Its own policy is not looked at: it must leave the role to IAM, and may allow what IAM does not. */
export const key: Check = {
  name: "KMS key",
  look({ secret: { kmsKeyId }, key: found, role, aws }) {
    if (kmsKeyId === undefined || !found) return pass("aws/secretsmanager, which needs no permission");
    const { metadata, lacking } = found;
    if (metadata.is === "unseen") return notKnown(metadata.why);
    if (!metadata.it)
      return fail(
        `${kmsKeyId} does not exist`,
        "Without it the value cannot be read. Give the secret another key, and store its value anew.",
      );
    const { KeyState } = metadata.it;
    // https://docs.aws.amazon.com/kms/latest/APIReference/API_CancelKeyDeletion.html leaves it Disabled.
    const ends =
      new Map([
        ["Disabled", ["enable-key"]],
        ["PendingDeletion", ["cancel-key-deletion", "enable-key"]],
      ]).get(KeyState ?? "") ?? [];
    if (KeyState !== "Enabled")
      return fail(
        `${kmsKeyId} is ${KeyState}`,
        ends.length > 0
          ? ends.map((end) => aws("kms", end, "--key-id", kmsKeyId)).join(", then ")
          : "The secret needs a key that is Enabled.",
      );
    if (!role || !lacking) return notKnown("enabled; no role is known that would use it");
    if (lacking.is === "unseen") return notKnown(`enabled; ${lacking.why}`);
    return findingOf(lacking.it, role.arn, "may use it, by its own policies; it is enabled");
  },
};
