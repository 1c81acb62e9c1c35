export { type Bundle, bundle } from "./bundle.ts";
export { type Deployment, deploy } from "./deployment.ts";
export { bundleJavaScript } from "./javascript.ts";
export { type LambdaFunction, lambdaFunctions, workspace } from "./lambda-functions.ts";
export { type Invocation, type LambdaProcess, type LambdaProcessOptions, startLambda } from "./lambda-process.ts";
