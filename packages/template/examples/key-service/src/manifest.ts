import type { RotatorManifest } from "@quarterturn/core";
import { settingList } from "@quarterturn/template";

export const manifest: RotatorManifest = {
  name: "key-service",
  title: "Key Service",
  engines: ["key-service"],
  settings: [
    {
      name: "KEY_SERVICE_URL",
      absent: "from the secret",
      meaning: "Single-user: where the service is, for secrets that are nothing but a key.",
      strategy: "single-user",
    },
    ...settingList,
  ],
  verifiedAgainst: [
    "A service of a hundred lines that imitates one (test/key-server.ts)",
    "Not run here: any real service, and TLS",
  ],
};
