// Public options of a bucket. They use no type of the SDK, so that type checks work without it installed.

/** Keys to use instead of those that the AWS SDK finds itself. */
export interface S3Credentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
}

/** The bucket's address. Defaults come from the AWS SDK's own environment variables and profile. */
export interface S3Address {
  region?: string;
  /** A server other than AWS (`AWS_ENDPOINT_URL_S3`, `AWS_ENDPOINT_URL`); it is used with path-style addressing. */
  endpoint?: string;
  credentials?: S3Credentials;
}

/** Limits of one connection; `stallMs` is how long a socket may be silent during a request. */
export interface ConnectionLimits {
  connections: number;
  connectMs: number;
  stallMs: number;
}

/** How long to retry, and how fast. */
export interface RetryLimits {
  /** Give up when an operation has failed for this long (and at least four times). */
  giveUpMs: number;
  /** The same before the server's first answer: its address is probably wrong. */
  unreachableMs: number;
  /** The longest first pause; each further one may be twice as long. */
  pauseMs: number;
}

/** Sizes and limits; the defaults suit AWS and most servers. */
export interface S3Limits extends ConnectionLimits, RetryLimits {
  /** Objects of at least this size, in bytes, are uploaded in parts. */
  multipartSize: number;
  /** Bytes per part; larger when there would be more than 10,000 parts. */
  partSize: number;
  /** Parts of one object uploaded concurrently; each is held in memory. */
  partsAtOnce: number;
  /** Objects of at least this size, in bytes, are copied in parts of this size. */
  copyPartSize: number;
}
