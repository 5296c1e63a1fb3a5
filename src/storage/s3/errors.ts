import { isScytheError, messageOf, ScytheError } from "../../errors.ts";
import { redact } from "../../redact.ts";

/** What was tried, for messages and hints. */
export interface S3Action {
  /** The verb after "Could not". */
  verb: string;
  /** The S3 permission that it needs. */
  permission: string;
  /** As `s3://bucket/key`. */
  uri: string;
  bucket: string;
  key: string;
}

/** The fields of an SDK error that are used here. */
interface SdkError {
  name?: string;
  Code?: string;
  code?: string;
  message?: string;
  errors?: unknown[];
  /** Set for an error from the server; missing when its answer could not be read. */
  $fault?: string;
  $metadata?: { httpStatusCode?: number; requestId?: string };
}

/** The received body differs from the stored one. */
export class CorruptBody extends Error {
  override readonly name = "CorruptBody";
  /** Etag of the object that was read: corrupt bytes say nothing about an object that replaced it. */
  readonly etag: string | undefined;

  constructor(message: string, etag?: string) {
    super(message);
    this.etag = etag;
  }
}

const TRANSIENT = new Set([
  "SlowDown",
  "Throttling",
  "ThrottlingException",
  "TooManyRequests",
  "RequestLimitExceeded",
  "RequestTimeout",
  "RequestTimeoutException",
  "RequestTimeTooSkewed", // the SDK corrects its clock from the answer
  "InternalError",
  "ServiceUnavailable",
  "ConditionalRequestConflict",
  "OperationAborted",
  "BadDigest",
  "XAmzContentSHA256Mismatch",
  "IncompleteBody",
  "TimeoutError",
  "CorruptBody",
]);
/**
 * A server on top of a file system reports these for a key that is a prefix of another, also while folders are created
 * or removed.
 */
const FOLDERS = new Set(["ExistingObjectIsDirectory", "ObjectParentIsFile"]);
const NO_CONNECTION = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH", "EHOSTDOWN"]);
const BROKEN_CONNECTION = new Set(["ECONNRESET", "EPIPE", "ETIMEDOUT", "ECONNABORTED", "ERR_STREAM_PREMATURE_CLOSE"]);

export const statusOf = (error: unknown): number | undefined => (error as SdkError)?.$metadata?.httpStatusCode;

/** S3's name for the error, such as `NoSuchKey`. */
export function s3Code(error: unknown): string {
  const { Code, name } = (error ?? {}) as SdkError;
  return Code ?? name ?? "";
}

/** A HEAD's answer has no body, so the error has no name. */
export const isNoKey = (error: unknown): boolean =>
  statusOf(error) === 404 && /^(NoSuchKey|NotFound|UnknownError|404|)$/.test(s3Code(error));
export const isNoUpload = (error: unknown): boolean => s3Code(error) === "NoSuchUpload";
export const isConditionFailed = (error: unknown): boolean =>
  statusOf(error) === 412 || s3Code(error) === "PreconditionFailed";

/** Includes versitygw's error for an unknown access key. */
const isDenied = (error: unknown): boolean => statusOf(error) === 403 || s3Code(error) === "XAdminUserNotFound";

export const isWithoutCredentials = (error: unknown): boolean => s3Code(error) === "CredentialsProviderError";

/** No server answered. */
export function isUnreachable(error: unknown): boolean {
  const { code, errors, message } = error as SdkError;
  if (errors?.length) return errors.every(isUnreachable);
  return NO_CONNECTION.has(code ?? "") || (message ?? "").includes("did not establish a connection");
}

/** Errors of the same kind are counted together. */
export const kindOf = (error: unknown): string =>
  error instanceof CorruptBody ? `CorruptBody ${error.etag}` : `${s3Code(error)} ${statusOf(error)}`;

/** How many tries are worthwhile for this kind of error; 1 = no retry. */
export function triesFor(error: unknown): number {
  if (isScytheError(error) || (error as SdkError)?.name === "AbortError") return 1;
  const code = s3Code(error);
  if (code === "RequestTimeTooSkewed") return 3;
  if (code === "CorruptBody") return 5;
  if (FOLDERS.has(code)) return 4;
  const isBroken = BROKEN_CONNECTION.has((error as SdkError).code ?? "");
  if (isBroken || TRANSIENT.has(code) || isUnreachable(error)) return Number.POSITIVE_INFINITY;
  const status = statusOf(error);
  if (status === undefined) return 1;
  const unnamed = status === 409 && /^(|UnknownError|Conflict|409)$/.test(code);
  const transient = status === 429 || status === 408 || (status >= 500 && status !== 501) || unnamed;
  if (transient) return Number.POSITIVE_INFINITY;
  return (error as SdkError).$fault === undefined ? 5 : 1;
}

/** @returns a ScytheError with what failed, where, and a hint; without credentials, also in its cause */
export function translate(error: unknown, action: S3Action, secrets: readonly string[]): ScytheError {
  if (isScytheError(error)) return error;
  const { bucket, key, verb } = action;
  const code = s3Code(error);
  const status = statusOf(error);
  const details = { bucket, key, action: verb, code, status, requestId: (error as SdkError).$metadata?.requestId };
  const cause = cleanCause(error, secrets);
  if (isNoKey(error) && verb === "read") {
    return new ScytheError("not_found", `No object ${action.uri}`, { details, cause });
  }
  const reason = reasonOf(error, cause.message.split("\n")[0]!);
  return new ScytheError("storage", `Could not ${verb} ${action.uri}: ${reason}`, {
    hint: hintFor(error, action),
    details,
    cause,
  });
}

function reasonOf(error: unknown, message: string): string {
  const status = statusOf(error);
  const code = s3Code(error);
  if (isWithoutCredentials(error)) return "no AWS credentials were found";
  if (isUnreachable(error)) return `the S3 server cannot be reached (${message})`;
  if (code === "NoSuchBucket") return "there is no such bucket (404 NoSuchBucket)";
  if (isDenied(error)) return `access denied (${status} ${/^(UnknownError|403)$/.test(code) ? "Forbidden" : code})`;
  return status === undefined ? message : `${message} (${status} ${code})`;
}

function hintFor(error: unknown, action: S3Action): string {
  const code = s3Code(error);
  const status = statusOf(error);
  if (isWithoutCredentials(error)) {
    return "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or run where a role gives access.";
  }
  if (isUnreachable(error)) return "Check the network, AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL, and AWS_REGION.";
  if (code === "NoSuchBucket") return `Create the bucket, or correct its name: aws s3 mb s3://${action.bucket}`;
  if (/^(InvalidAccessKeyId|SignatureDoesNotMatch|XAdminUserNotFound)$/.test(code)) {
    return "The access key or its secret is wrong: check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_PROFILE.";
  }
  if (/^(ExpiredToken|TokenRefreshRequired|InvalidToken)/.test(code))
    return "Log in again: the credentials have expired.";
  if (isDenied(error)) return `Allow ${action.permission} on ${action.uri} to these credentials.`;
  if (status === 301 || code === "AuthorizationHeaderMalformed") return "Set AWS_REGION to the bucket's region.";
  if (status === 501) return "Scythe needs a server that supports conditional writes (If-None-Match, If-Match).";
  if (/CERT|certificate|ALTNAME/i.test(`${(error as SdkError).code} ${(error as SdkError).message}`)) {
    return "Set NODE_EXTRA_CA_CERTS to the file of the server's certificate authority.";
  }
  if (triesFor(error) > 1) return "The server kept failing: check its state, then resume the run.";
  return "Check the bucket, the key and the server's log.";
}

/** SDK errors contain requests, signatures and key ids: keeps only name, message and stack, with secrets removed. */
function cleanCause(error: unknown, secrets: readonly string[]): Error {
  const { errors, code, name, stack } = error as SdkError & { stack?: string };
  const text = errors?.length ? errors.map(messageOf).join("; ") : messageOf(error);
  const cause = new Error(withoutSecrets(text, secrets));
  cause.name = name ?? "Error";
  if (stack) cause.stack = withoutSecrets(stack, secrets);
  return code === undefined ? cause : Object.assign(cause, { code });
}

/** Removes what looks like a secret, and the known secrets. */
export function withoutSecrets(text: string, secrets: readonly string[]): string {
  const known = secrets.filter((secret) => secret.length > 0);
  return redact(known.reduce((rest, secret) => rest.replaceAll(secret, "…"), text));
}
