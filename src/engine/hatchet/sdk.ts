import { createRequire } from "node:module";
import { ScytheError } from "../../errors.ts";

type Sdk = typeof import("@hatchet-dev/typescript-sdk");
export type Client = InstanceType<Sdk["HatchetClient"]>;
export type SdkWorker = Awaited<ReturnType<Client["worker"]>>;
export type SdkTask = ReturnType<Client["task"]>;
export type SdkContext = import("@hatchet-dev/typescript-sdk").Context<unknown>;

/** What to install: the minor release whose insides are known (sdk-hooks.ts). The peer dependency says the same. */
export const SDK_PACKAGE = "@hatchet-dev/typescript-sdk@~1.33";

/** How a client finds its server. What is left out but the token, the SDK takes from `HATCHET_CLIENT_*`. */
export interface Connection {
  token?: string | undefined;
  /** `host:port` of gRPC. */
  hostPort?: string;
  apiUrl?: string;
  /** Without a token: start the SDK's own engine beside this process. */
  embedded?: boolean;
  /** The embedded engine's file; without it the SDK downloads one. */
  embeddedBinary?: string | undefined;
}

/** The SDK is CommonJS: required, it costs half of what importing it would, and nobody who runs locally loads it. */
export function loadSdk(): Sdk {
  const require = createRequire(import.meta.url);
  try {
    return require("@hatchet-dev/typescript-sdk") as Sdk;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "MODULE_NOT_FOUND") throw cause;
    throw new ScytheError("engine", "The Hatchet engine needs the package @hatchet-dev/typescript-sdk", {
      hint: `Run \`npm install ${SDK_PACKAGE}\` in the project.`,
      cause,
    });
  }
}

/** The version of the SDK that is installed. */
export function sdkVersion(): string {
  const { version } = createRequire(import.meta.url)("@hatchet-dev/typescript-sdk/package.json") as { version: string };
  return version;
}

/** Lines that the SDK logs; by itself it writes them to stdout, which is ours for data. */
export type SdkLog = (level: "debug" | "info" | "warn" | "error", line: string) => void;

/**
 * A client of the SDK. Nothing is asked of the server yet.
 * @throws ScytheError `engine` when there is no token, or the SDK is not installed
 */
export async function connect(connection: Connection, namespace: string | undefined, log: SdkLog): Promise<Client> {
  const sdk = loadSdk();
  const config = {
    log_level: "ERROR", // of what does not go through our logger
    logger: (context: string) => sdkLogger(context, log),
    ...(namespace === undefined ? {} : { namespace }),
    ...(connection.token ? { token: connection.token } : {}),
    ...(connection.hostPort === undefined ? {} : { host_port: connection.hostPort }),
    ...(connection.apiUrl === undefined ? {} : { api_url: connection.apiUrl }),
    retrier: { maxAttempts: 1 }, // the SDK would ask again also what was refused: retry-until.ts
  } as unknown as NonNullable<Parameters<Sdk["HatchetClient"]["init"]>[0]>;
  if (isEmbedded(connection)) return startEmbedded(config, connection.embeddedBinary);
  if (!connection.token) {
    throw new ScytheError("engine", "There is no HATCHET_CLIENT_TOKEN", {
      hint: "Set it (Hatchet's dashboard: Settings → API Tokens), or set SCYTHE_HATCHET_EMBEDDED=1 to start an engine here.",
    });
  }
  try {
    return sdk.HatchetClient.init(config) as Client;
  } catch (cause) {
    throw new ScytheError("engine", "The Hatchet client could not be set up", {
      hint: "Check HATCHET_CLIENT_TOKEN, HATCHET_CLIENT_HOST_PORT and HATCHET_CLIENT_TLS_STRATEGY; `scythe doctor` tries them.",
      cause: withoutToken(cause, connection.token),
    });
  }
}

/** Whether the engine is to run beside this process: nobody has named a server. */
export function isEmbedded({ token, embedded }: Connection): boolean {
  return embedded === true && !token;
}

type InitConfig = NonNullable<Parameters<Sdk["HatchetClient"]["init"]>[0]>;

async function startEmbedded(config: InitConfig, binaryPath: string | undefined): Promise<Client> {
  const require = createRequire(import.meta.url);
  try {
    const path = "@hatchet-dev/typescript-sdk/v1/embedded";
    const embedded = require(path) as typeof import("@hatchet-dev/typescript-sdk/v1/embedded.js");
    return (await embedded.HatchetEmbeddedClient.init(binaryPath ? { binaryPath } : {}, config)) as unknown as Client;
  } catch (cause) {
    throw new ScytheError("engine", "Hatchet's embedded engine did not start", {
      hint: "It is downloaded from GitHub at first; name a file you have by HATCHET_CLIENT_EMBEDDED_BINARY_PATH, or use a server.",
      cause,
    });
  }
}

/** Errors of the SDK's configuration may quote it. */
function withoutToken(cause: unknown, token: string): unknown {
  if (!(cause instanceof Error)) return cause;
  return new Error(cause.message.replaceAll(token, "…"));
}

function sdkLogger(context: string, log: SdkLog) {
  const at =
    (level: Parameters<SdkLog>[0]) =>
    (message: string, error?: unknown): void => {
      log(level, `${context}: ${message}${error instanceof Error ? ` (${error.message})` : ""}`);
    };
  return {
    debug: at("debug"),
    info: at("info"),
    green: at("info"),
    warn: at("warn"),
    error: at("error"),
    util: () => undefined,
  };
}

/** The kinds of refusal that asking again does not change. */
const FINAL = ["NOT_FOUND", "INVALID_ARGUMENT", "PERMISSION_DENIED", "UNAUTHENTICATED", "UNIMPLEMENTED"] as const;
export type Refusal = (typeof FINAL)[number];

/** Why the server refused, if it did: the SDK wraps gRPC's errors, but keeps their words. */
export function refusalOf(error: unknown): Refusal | undefined {
  const message = error instanceof Error ? error.message : String(error);
  return FINAL.find((name) => message.includes(` ${name}:`));
}
