import { createHash } from "node:crypto";
import type { S3Client, S3ClientConfig } from "@aws-sdk/client-s3";
import { ScytheError } from "../../errors.ts";
import type { S3Address } from "./address.ts";
import type { ConnectionLimits } from "./limits.ts";

export type Sdk = typeof import("@aws-sdk/client-s3");

export interface S3Connection {
  sdk: Sdk;
  client: S3Client;
  /** What must never be shown: keys and tokens in use. */
  secrets(): Promise<string[]>;
}

/** Longer than instance metadata or a token service takes, short enough to fail within seconds. */
const CREDENTIALS_MS = 7_000;

/** @throws ScytheError `storage` when the package is not installed, which only who uses S3 needs */
export async function loadSdk(load: () => Promise<Sdk> = () => import("@aws-sdk/client-s3")): Promise<Sdk> {
  try {
    return await load();
  } catch (error) {
    throw new ScytheError("storage", "S3 storage needs the package @aws-sdk/client-s3, which could not be loaded", {
      hint: "Run: npm install @aws-sdk/client-s3",
      cause: error,
    });
  }
}

/** Makes a client and finds its credentials; asks nothing of the bucket. */
export async function connect(address: S3Address, limits: ConnectionLimits): Promise<S3Connection> {
  const sdk = await loadSdk();
  const config = configFor(address, limits);
  let client = makeClient(sdk, config);
  if (!(await hasRegion(client))) client = makeClient(sdk, { ...config, region: "us-east-1" });
  if (await endpointOf(client)) client.config.forcePathStyle = true;
  addContentMd5(client);
  await findCredentials(client);
  return { sdk, client, secrets: () => secretsOf(client) };
}

function configFor(address: S3Address, limits: ConnectionLimits): S3ClientConfig {
  const agent = { keepAlive: true, maxSockets: limits.connections };
  return {
    ...address,
    ...(address.endpoint ? { forcePathStyle: true } : {}),
    followRegionRedirects: true,
    maxAttempts: 1, // retrying is retry.ts's: it must know whether an earlier attempt may have been applied
    requestChecksumCalculation: "WHEN_REQUIRED", // other servers refuse CRC trailers; bodies are signed with SHA-256
    responseChecksumValidation: "WHEN_REQUIRED",
    expectContinueHeader: false, // with it, the SDK opens a new connection for each large body
    logger: { trace() {}, debug() {}, info() {}, warn() {}, error() {} },
    requestHandler: {
      connectionTimeout: limits.connectMs,
      socketTimeout: limits.stallMs,
      httpAgent: agent,
      httpsAgent: agent,
    },
  };
}

/**
 * The SDK warns on stderr of Node versions that it is going to leave, which is of no use to those who run a study. Only a
 * variable turns that off, so it is set while a client is made: the one place where this adapter touches the environment.
 */
function makeClient(sdk: Sdk, config: S3ClientConfig): S3Client {
  const name = "AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED";
  const before = process.env[name];
  process.env[name] = "true";
  try {
    return new sdk.S3Client(config);
  } finally {
    if (before === undefined) delete process.env[name];
    else process.env[name] = before;
  }
}

function hasRegion(client: S3Client): Promise<boolean> {
  return client.config.region().then(
    (region) => region !== "",
    () => false,
  );
}

/** Set by the caller, the environment or the profile. */
async function endpointOf(client: S3Client): Promise<unknown> {
  const config = client.config as { endpoint?: unknown; serviceConfiguredEndpoint?: () => Promise<string | undefined> };
  return config.endpoint ?? config.serviceConfiguredEndpoint?.();
}

/** Older servers insist on it for a batch of deletions; the SDK sends a CRC in its place. */
function addContentMd5(client: S3Client): void {
  client.middlewareStack.add(
    (next, context) => async (args) => {
      const request = args.request as { body?: unknown; headers: Record<string, string> };
      if (context.commandName === "DeleteObjectsCommand" && typeof request.body === "string") {
        request.headers["content-md5"] = createHash("md5").update(request.body).digest("base64");
      }
      return next(args);
    },
    { step: "build", name: "scytheContentMd5", override: true },
  );
}

async function findCredentials(client: S3Client): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const error = Object.assign(new Error(`found none in ${CREDENTIALS_MS} ms`), { name: "CredentialsProviderError" });
    timer = setTimeout(() => reject(error), CREDENTIALS_MS);
  });
  try {
    await Promise.race([client.config.credentials(), late]);
  } finally {
    clearTimeout(timer);
  }
}

async function secretsOf(client: S3Client): Promise<string[]> {
  const found = await client.config.credentials().catch(() => undefined);
  return [found?.accessKeyId, found?.secretAccessKey, found?.sessionToken].filter((text) => text !== undefined);
}
