/**
 * What a bundle has in place of the SDK's credential chain. Lambda gives a Node.js function its role's credentials by environment
 * variables, always, and the chain looks there first; what it could look at afterwards (profiles, single sign-on, instance metadata) is a
 * quarter of the bundle.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
 */
export { fromEnv as defaultProvider } from "@aws-sdk/credential-provider-env";
