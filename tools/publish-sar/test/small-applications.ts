import { applications, readmeOf, templateOf } from "@quarterturn-tools/sam";
import { type PackagedApplication, packageApplication } from "../src/packaged-application.ts";

/** Every application, with a few bytes for code. */
export async function smallApplications(bucket: string): Promise<readonly PackagedApplication[]> {
  return (await applications()).map((application) =>
    packageApplication(
      {
        folder: application.folder,
        template: templateOf(application),
        readme: readmeOf(application),
        license: "the licence",
        code: Buffer.from(`code of ${application.name}`),
      },
      bucket,
    ),
  );
}
