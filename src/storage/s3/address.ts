/**
 * What a user may say of a bucket. Without a type of the SDK, so that who does not have it can check types against this
 * package.
 */

export interface S3Credentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
}

/** Where the bucket is. What is left out comes from the AWS SDK's own environment variables and profile. */
export interface S3Address {
  region?: string;
  /** A server that is not AWS (`AWS_ENDPOINT_URL_S3`, `AWS_ENDPOINT_URL`); with one, buckets are addressed by path. */
  endpoint?: string;
  credentials?: S3Credentials;
}

/** Limits of one connection; `stallMs` is how long a socket may stay silent in the midst of a request. */
export interface ConnectionLimits {
  connections: number;
  connectMs: number;
  stallMs: number;
}

/** How long to go on, and how fast. */
export interface RetryLimits {
  /** Give up when an operation has failed for so long (and at least four times). */
  giveUpMs: number;
  /** The same while the server has not answered once: its address is probably wrong. */
  unreachableMs: number;
  /** The longest first pause; each further one may be twice as long. */
  pauseMs: number;
}

/** Sizes and patience; the defaults suit AWS and most servers. */
export interface S3Limits extends ConnectionLimits, RetryLimits {
  /** Bytes from which an object goes up in parts. */
  multipartSize: number;
  /** Bytes of a part; larger when there would be more than 10,000. */
  partSize: number;
  /** Parts of one object under way at the same time; each is held in memory. */
  partsAtOnce: number;
  /** Bytes from which an object is copied in parts, each so large. */
  copyPartSize: number;
}
