/** An error in a service's own shape: its code, its text, HTTP 400 unless said otherwise. */
export class ServiceError extends Error {
  override readonly name = "ServiceError";
  readonly code: string;
  readonly status: number;
  /** What the API's model gives this error beside its text. */
  readonly members: Readonly<Record<string, string>>;

  constructor(code: string, message: string, status = 400, members: Readonly<Record<string, string>> = {}) {
    super(message);
    this.code = code;
    this.status = status;
    this.members = members;
  }
}

/*
 * What every service of this protocol may answer.
 */

export const accessDenied = (message: string) => new ServiceError("AccessDeniedException", message);

export const malformedInput = (message: string) => new ServiceError("SerializationException", message);

export const validationFailed = (message: string) => new ServiceError("ValidationException", message);

export const unknownOperation = (message = "The endpoint knows no such operation.") =>
  new ServiceError("UnknownOperationException", message);
