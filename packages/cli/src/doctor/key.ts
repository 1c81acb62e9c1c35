import { DescribeKeyCommand, type KeyMetadata, KMSClient } from "@aws-sdk/client-kms";
import type { Context } from "../context.ts";
import { read, type Seen } from "./seen.ts";

/** A key's state; undefined where there is no such key. */
export async function readKey(context: Context, secretId: string, id: string): Promise<Seen<KeyMetadata | undefined>> {
  const kms = new KMSClient(context.clientOptions);
  try {
    return await read(context, "kms:DescribeKey", secretId, async (options) => {
      const { KeyMetadata } = await kms.send(new DescribeKeyCommand({ KeyId: id }), options);
      return KeyMetadata;
    });
  } finally {
    kms.destroy();
  }
}
