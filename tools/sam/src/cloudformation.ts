/** A piece of a template: CloudFormation's JSON. */
export type Value = string | number | boolean | readonly Value[] | { readonly [key: string]: Value };

export const ref = (name: string): Value => ({ Ref: name });
/** A text in which `${NAME}` stands for a parameter or a pseudo parameter. */
export const sub = (text: string): Value => ({ "Fn::Sub": text });
export const attribute = (resource: string, name: string): Value => ({ "Fn::GetAtt": [resource, name] });
export const when = (condition: string, then: Value, otherwise: Value = ref("AWS::NoValue")): Value => ({
  "Fn::If": [condition, then, otherwise],
});
export const isGiven = (parameter: string): Value => ({ "Fn::Not": [{ "Fn::Equals": [ref(parameter), ""] }] });
export const isListGiven = (parameter: string): Value => ({
  "Fn::Not": [{ "Fn::Equals": [{ "Fn::Join": ["", ref(parameter)] }, ""] }],
});
