/** `npm run packages`: has publint and "are the types wrong" judge every package as it would be published. */
import { judgePackages } from "./judge.ts";
import { stagePackages } from "./stage.ts";

if (!(await judgePackages(await stagePackages()))) process.exitCode = 1;
