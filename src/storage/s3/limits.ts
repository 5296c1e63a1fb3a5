const MB = 1024 * 1024;

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

export const DEFAULT_LIMITS: S3Limits = {
  connections: 64,
  connectMs: 5_000,
  stallMs: 30_000,
  giveUpMs: 90_000,
  unreachableMs: 4_000,
  pauseMs: 100,
  multipartSize: 16 * MB,
  partSize: 8 * MB,
  partsAtOnce: 4,
  copyPartSize: 512 * MB,
};
