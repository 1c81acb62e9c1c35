export { type Bundle, bundle } from "./bundle.ts";
export { type Deployment, deploy } from "./deployment.ts";
export { workspace } from "./lambda-functions.ts";
export { type Invocation, type LambdaProcess, type LambdaProcessOptions, startLambda } from "./lambda-process.ts";
