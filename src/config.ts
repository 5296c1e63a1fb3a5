import { existsSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { homedir, totalmem } from "node:os";
import { dirname, extname, join, resolve, sep } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { assertTrusted } from "./config-trust.ts";
import { messageOf, ScytheError } from "./errors.ts";
import type { AnyExperiment } from "./experiment/define.ts";
import { parseBytes, parseDuration } from "./experiment/quantities.ts";
import { assertKnownKeys, type Keys } from "./known-keys.ts";
import { temporaryRoot } from "./private-folder.ts";
import type { Storage } from "./storage/storage.ts";

/** The default export of `scythe.config.ts`. */
export interface Config {
  experiments: readonly AnyExperiment[];
  /** A folder, relative to the config file (default `./scythe-data`). */
  storage?: string;
  /** `local` (default), `inline` or `hatchet`. */
  engine?: string;
  /** Specs that run concurrently on this machine. */
  slots?: number;
  /** Default limits of experiments: `memoryLimit` (none by default) and `maxOutputSize` (256 MB by default). */
  memoryLimit?: string | number;
  maxOutputSize?: string | number;
  /** Hosts (`host` or `host:port`) with private addresses from which specs' `http(s)://` files may be fetched. */
  allowHosts?: readonly string[];
  /**
   * Folders (relative to the config file) and `s3://` buckets that spec files may refer to, besides their own place.
   */
  allowPaths?: readonly string[];
  allowBuckets?: readonly string[];
  /**
   * Environment variables that experiments read, besides those that every process needs (`PATH`, `HOME`, `LANG`, …):
   * names, or prefixes (`AWS_*`). Keys and tokens are passed on only when named here.
   */
  passEnv?: readonly string[];
  /** The cache of fetched files: its folder (default `~/.cache/scythe`) and its size in bytes (default 20 GiB). */
  cache?: { folder?: string; maxBytes?: number };
  /** Your own Hatchet workflows, made with its SDK, that `scythe worker` serves in addition to the experiments. */
  additionalWorkflows?: readonly unknown[];
}

/** Returns the config unchanged, with its type checked. */
export function defineConfig(config: Config): Config {
  return config;
}

/** A config and its file, from which workers load it again. */
export interface LoadedConfig {
  config: Config;
  path: string;
  folder: string;
}

/** A spec with more data should write a file: rows are held in memory until their part is written, and when merged. */
const MAX_OUTPUT = 256e6;

const NAMES = ["scythe.config.ts", "scythe.config.mts", "scythe.config.js", "scythe.config.mjs"];

/**
 * The config file in or above `start`.
 * @throws ScytheError `not_found`
 */
export function findConfig(start: string): string {
  for (let folder = resolve(start); ; folder = dirname(folder)) {
    for (const name of NAMES) if (isFile(join(folder, name))) return join(folder, name);
    if (folder === dirname(folder)) break;
  }
  throw new ScytheError("not_found", `No scythe.config.ts in ${resolve(start)} or above`, {
    hint: "Run this inside a project, or make one: `npx scythe init my-study`.",
  });
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true; // a folder could have this name
}

/**
 * Loads a config file; TypeScript needs no build step.
 * @param where the file, or a folder in the project
 * @throws ScytheError `invalid_definition` when it does not load, exports no config, or is not trusted
 */
export async function loadConfig(where: string | URL): Promise<LoadedConfig> {
  const given = resolve(where instanceof URL ? fileURLToPath(where) : where);
  if (!existsSync(given)) {
    throw new ScytheError("not_found", `No file or folder ${given}`, { hint: "Check the path of the project." });
  }
  const path = statSync(given).isFile() ? given : findConfig(given);
  assertTrusted(path);
  const module = await importModule(path);
  const config = module.default as Config | undefined;
  if (!config || !Array.isArray(config.experiments)) {
    throw new ScytheError("invalid_definition", `${path} does not export a config`, {
      hint: "Write: export default defineConfig({ experiments: [myExperiment] });",
    });
  }
  const foreign = config.experiments.filter(
    (experiment: AnyExperiment | undefined) => typeof experiment?.run !== "function" || !experiment.columns,
  );
  if (foreign.length > 0) {
    const [first] = foreign as ({ name?: unknown } | undefined)[];
    throw new ScytheError("invalid_definition", `${path}: experiments must come from defineExperiment`, {
      hint: `Found ${JSON.stringify(first?.name ?? typeof first)}.`,
    });
  }
  assertKnownKeys(config, OPTIONS, path, "invalid_definition");
  assertKnownKeys(config.cache, { folder: true, maxBytes: true }, `${path}: cache`, "invalid_definition");
  return { config, path, folder: dirname(path) };
}

const OPTIONS: Keys<Config> = {
  experiments: true,
  storage: true,
  engine: true,
  slots: true,
  memoryLimit: true,
  maxOutputSize: true,
  allowHosts: true,
  allowPaths: true,
  allowBuckets: true,
  cache: true,
  additionalWorkflows: true,
  passEnv: true,
};

async function importModule(path: string): Promise<{ default?: unknown }> {
  try {
    if (/^\.[mc]?ts$/.test(extname(path))) {
      // by `require`, which does not first search all of it for the names of its exports: 40 ms less
      const { createJiti } = createRequire(import.meta.url)("jiti") as typeof import("jiti");
      const options = { interopDefault: false, sourceMaps: true, fsCache: compiledFolder() };
      return await createJiti(import.meta.url, options).import(path);
    }
    return (await import(pathToFileURL(path).href)) as { default?: unknown };
  } catch (error) {
    if (error instanceof Error && error.name === "ScytheError") throw error;
    throw new ScytheError("invalid_definition", `${path} could not be loaded: ${messageOf(error)}`, {
      hint: /Cannot find (module|package) '[^./]/.test(messageOf(error))
        ? `Install what it imports: run \`npm install\` in ${dirname(path)}.`
        : "Correct the file; the stack shows where.",
      cause: error,
    });
  }
}

/**
 * Where jiti keeps compiled TypeScript; false = nowhere. Its own choice is a folder that all users of a machine share,
 * where another could have put code.
 */
function compiledFolder(): string | false {
  const folder = join(temporaryRoot(), "jiti");
  return sep === "/" && folder.includes("\\") ? false : folder; // it takes any backslash for a separator
}

/** Settings given on the command line or in code; they override environment and config. */
export interface Overrides {
  /** A folder, `s3://bucket/prefix`, or a storage made by {@link s3Storage} (with its own credentials or limits). */
  storage?: string | Storage;
  engine?: string;
  slots?: number;
}

/** All settings of an entry point. Precedence: override, environment, config file, default. */
export interface Settings {
  storage: string | Storage;
  engine: string;
  slots: number | undefined;
  workerName: string;
  executionTimeoutMs: number;
  /** Limits in bytes of a spec's processes and of a spec's rows. */
  memoryLimit: number | undefined;
  maxOutputSize: number;
  allowHosts: readonly string[];
  allowPaths: readonly string[];
  allowBuckets: readonly string[];
  passEnv: readonly string[];
  cacheFolder: string;
  cacheBytes: number;
  worker: WorkerSettings;
  /** How long work may wait for a worker, and how long a node may take; the names are Python Scythe's. */
  timeouts: { nodeScheduleMs: number; nodeExecutionMs: number; specScheduleMs: number };
  /** Start Hatchet's embedded engine when there is no token: requested explicitly, or by naming its binary. */
  embeddedHatchet: boolean;
}

/** The capacity and limits of a cluster's worker. */
export interface WorkerSettings {
  /** Nodes of one level that are open concurrently. */
  nodeSlots: number;
  labels: Record<string, string>;
  doesFan: boolean;
  doesLeaf: boolean;
  additionalWorkflows: readonly unknown[];
  /** MiB for all merges of this process together. */
  mergeMemoryMb: number;
}

/** A merge works best with 384 MiB; most of the machine's memory is left to the specs. */
const MERGE_MEMORY_MB = { least: 384, most: 2_048, share: 1 / 4 };

export function readSettings(loaded: Pick<LoadedConfig, "config" | "folder">, overrides: Overrides = {}): Settings {
  const known: Keys<Overrides> = { storage: true, engine: true, slots: true };
  assertKnownKeys(overrides, known, "openProject");
  const { config, folder } = loaded;
  const env = process.env;
  const configured = config.storage ?? "./scythe-data";
  return {
    storage: overrides.storage ?? bucketFrom(env) ?? (hasScheme(configured) ? configured : resolve(folder, configured)),
    engine: overrides.engine ?? config.engine ?? "local",
    slots: overrides.slots ?? numberFrom("SCYTHE_WORKER_SLOTS", env.SCYTHE_WORKER_SLOTS) ?? config.slots,
    workerName: env.SCYTHE_WORKER_NAME || `ScytheWorker--${hostingOf(env)}`,
    executionTimeoutMs: durationFrom(env, "SCYTHE_TIMEOUT_EXPERIMENT_EXECUTION", "1m"),
    memoryLimit: bytesFrom(env, "SCYTHE_WORKER_MEMORY_LIMIT", config.memoryLimit, "memoryLimit"),
    maxOutputSize: bytesFrom(env, "SCYTHE_WORKER_MAX_OUTPUT_SIZE", config.maxOutputSize, "maxOutputSize") ?? MAX_OUTPUT,
    allowHosts: config.allowHosts ?? [],
    allowPaths: (config.allowPaths ?? []).map((path) => resolve(folder, path)),
    allowBuckets: config.allowBuckets ?? [],
    passEnv: config.passEnv ?? [],
    cacheFolder: env.SCYTHE_CACHE_DIR || resolve(folder, config.cache?.folder ?? defaultCacheFolder(env)),
    cacheBytes: config.cache?.maxBytes ?? 20 * 2 ** 30,
    worker: workerSettings(env, config),
    timeouts: {
      nodeScheduleMs: durationFrom(env, "SCYTHE_TIMEOUT_SCATTER_GATHER_SCHEDULE", "1h"),
      nodeExecutionMs: durationFrom(env, "SCYTHE_TIMEOUT_SCATTER_GATHER_EXECUTION", "1h"),
      specScheduleMs: durationFrom(env, "SCYTHE_TIMEOUT_EXPERIMENT_SCHEDULE", "1h"),
    },
    embeddedHatchet: flagFrom(env, "SCYTHE_HATCHET_EMBEDDED", Boolean(env.HATCHET_CLIENT_EMBEDDED_BINARY_PATH)),
  };
}

function workerSettings(env: NodeJS.ProcessEnv, config: Config): WorkerSettings {
  const labels = ["high_memory", "high_cpu", "has_gpu"];
  const own = labels.filter((label) => flagFrom(env, `SCYTHE_WORKER_${label.toUpperCase()}`, false));
  return {
    nodeSlots: numberFrom("SCYTHE_WORKER_DURABLE_SLOTS", env.SCYTHE_WORKER_DURABLE_SLOTS) ?? 16,
    labels: Object.fromEntries(own.map((label) => [label, "yes"])),
    doesFan: flagFrom(env, "SCYTHE_WORKER_DOES_FAN", true),
    doesLeaf: flagFrom(env, "SCYTHE_WORKER_DOES_LEAF", true),
    additionalWorkflows: config.additionalWorkflows ?? [],
    mergeMemoryMb:
      numberFrom("SCYTHE_WORKER_MERGE_MEMORY_MB", env.SCYTHE_WORKER_MERGE_MEMORY_MB) ?? defaultMergeMemoryMb(),
  };
}

function defaultMergeMemoryMb(): number {
  const { least, most, share } = MERGE_MEMORY_MB;
  const limit = process.constrainedMemory() || Number.POSITIVE_INFINITY; // a container's limit; 0 without one
  const mb = Math.floor((Math.min(totalmem(), limit) * share) / 2 ** 20);
  return Math.min(most, Math.max(least, mb));
}

/** The hosting environment, named as by Python Scythe's workers. */
function hostingOf(env: NodeJS.ProcessEnv): string {
  const { AWS_BATCH_JOB_ARRAY_INDEX: batch, COPILOT_ENVIRONMENT_NAME: copilot, FLY_REGION: fly } = env;
  const aws = [batch && `Batch${batch.padStart(4, "0")}`, copilot && `Copilot${copilot.toUpperCase()}`].join("");
  if (aws) return `AWS${aws}`;
  return fly ? `Fly${fly.toUpperCase()}` : "Local";
}

function durationFrom(env: NodeJS.ProcessEnv, name: string, otherwise: string): number {
  return parseDuration(env[name] || otherwise, name);
}

function bytesFrom(
  env: NodeJS.ProcessEnv,
  name: string,
  configured: string | number | undefined,
  field: string,
): number | undefined {
  if (env[name]) return parseBytes(env[name], name);
  return configured === undefined ? undefined : parseBytes(configured, `${field} in the config`);
}

/** Parses flags like pydantic, so that an environment works for both. */
function flagFrom(env: NodeJS.ProcessEnv, name: string, otherwise: boolean): boolean {
  const value = env[name]?.toLowerCase();
  if (!value) return otherwise;
  if (["1", "true", "t", "yes", "y", "on"].includes(value)) return true;
  if (["0", "false", "f", "no", "n", "off"].includes(value)) return false;
  throw new ScytheError("invalid_input", `${name} must be true or false, not ${JSON.stringify(env[name])}`);
}

function defaultCacheFolder(env: NodeJS.ProcessEnv): string {
  return join(env.XDG_CACHE_HOME || join(homedir(), ".cache"), "scythe", "files");
}

function bucketFrom(env: NodeJS.ProcessEnv): string | undefined {
  if (!env.SCYTHE_STORAGE_BUCKET) return undefined;
  return `s3://${env.SCYTHE_STORAGE_BUCKET}/${env.SCYTHE_STORAGE_BUCKET_PREFIX || "scythe"}`;
}

function hasScheme(text: string): boolean {
  return /^[A-Za-z][A-Za-z0-9+.-]+:\/\//.test(text);
}

function numberFrom(name: string, value: string | undefined): number | undefined {
  if (!value) return undefined;
  const number = Number(value);
  if (Number.isInteger(number) && number > 0) return number;
  throw new ScytheError("invalid_input", `${name} must be a whole number above 0, not ${JSON.stringify(value)}`);
}
