/** The name of the secret that the rotator "leaves a secret behind" leaves. */
export const leftSecretName = (secretId: string) => `left-behind/${secretId.slice(-6)}`;
