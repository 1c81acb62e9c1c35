export { type Application, applications } from "./applications.ts";
export { calledActions } from "./called-actions.ts";
export { code, conditionText, table } from "./markdown.ts";
export { leftoverTemplates, samPages } from "./pages.ts";
export { parametersOf } from "./parameters.ts";
export { readmeOf, roleTable } from "./readme.ts";
export { policyOf, roleStatements } from "./role.ts";
export { settingsOf, settingsWithoutWindow } from "./settings.ts";
export { templateOf } from "./template.ts";
