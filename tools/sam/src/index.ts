export { type Application, applications } from "./applications.ts";
export { samPages } from "./pages.ts";
export { parametersOf } from "./parameters.ts";
export { readmeOf } from "./readme.ts";
export { roleStatements } from "./role.ts";
export { templateOf } from "./template.ts";
