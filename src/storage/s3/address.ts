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
