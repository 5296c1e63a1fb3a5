import { randomInt, randomUUID } from "node:crypto";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { isAbsolute, join, relative, sep } from "node:path";
import { stringify } from "yaml";
import { ScytheError } from "../errors.ts";
import { type AnyExperiment, assertName } from "../experiment/define.ts";
import { hashFile, type PlannedArtifact, storeArtifacts } from "../files/artifacts.ts";
import { hashOf, jsonSchemaOf } from "../spec/json-schema.ts";
import { listAll, type Storage } from "../storage/storage.ts";
import { claimRun } from "./claim.ts";
import { earlierContents } from "./earlier-contents.ts";
import { captureEnvironment } from "./environment.ts";
import { type FailureLimit, failureLimitText } from "./failure-limit.ts";
import { parseExperimentId, RUN_SCHEME, RunLayout, specRunId } from "./layout.ts";
import { type Manifest, type ManifestDetails, manifestText, type Recursion, type SpecsFile } from "./manifest.ts";
import { assertUniqueSortIndex, writeSpecs } from "./publish.ts";
import { sha256Of } from "./seal.ts";
import { specSource } from "./spec-source.ts";
import { type StagedSpecs, stageSpecs } from "./stage.ts";
import { updateState } from "./state.ts";
import { resolveVersion, type VersionRequest } from "./version.ts";

export interface AllocateOptions {
  /** A bump of the latest version (default `bumpmajor`, as in Python Scythe), `keep`, or an explicit `v1.2.3`. */
  version?: VersionRequest;
  /** Shape of the tree; left out = `{ factor: 10, maxDepth: 0 }`. Given, both must be. */
  recursion?: { factor: number; maxDepth: number };
  /** Puts the run under another name than the experiment's. */
  runName?: string;
  /** Seed of every spec's random numbers, a whole number from 0 to 2^53 − 1; drawn and recorded when left out. */
  seed?: number;
  /** Keeps the `sort_index` that specs bring along instead of numbering them. */
  keepSortIndex?: boolean;
  /** Specs of a chunk; measured when left out. */
  chunkSize?: number;
  /**
   * Failed specs, or the share of all (`1%`), that the run may have: with more it stops, keeping what is done. Left out, it
   * goes on whatever fails.
   */
  maxFailures?: FailureLimit;
  /** Stores `http(s)://` and `s3://` input files with the run, too, instead of leaving the references as they are. */
  copyInputs?: boolean;
  /** The `experiment_id` of the run that this one goes on from, for its lineage. */
  parentRun?: string;
  /** What was typed to get here, for the run's lineage; must hold no secrets. */
  command?: string;
  /** Told of input files as they are stored. */
  onArtifact?: (stored: number, total: number) => void;
  /** Ends the reading of specs; nothing is stored then. */
  signal?: AbortSignal;
}

export interface AllocatedRun {
  layout: RunLayout;
  manifest: Manifest;
}

/**
 * Turns specs into a run that is ready to start: checked, versioned, its inputs stored. Nothing is written to storage
 * unless every spec is valid; the manifest comes last, so that a run that has one is whole.
 * @param project its folder, whose code is recorded, and how it brings remote files
 */
export async function allocateRun(
  storage: Storage,
  experiment: AnyExperiment,
  specs: unknown,
  options: AllocateOptions,
  project: { folder: string; fetchUri: (uri: string) => Promise<string> },
): Promise<AllocatedRun> {
  const checked = checkOptions(experiment, options);
  const environment = captureEnvironment(project.folder);
  const scratch = await mkdtemp(join(tmpdir(), "scythe-allocate-"));
  try {
    const source = specSource(specs, experiment.columns.input);
    const staged = await stageSpecs(experiment, source, join(scratch, "staged.pq"), {
      keepSortIndex: checked.keepSortIndex,
      signal: options.signal,
      copyFrom: options.copyInputs ? project.fetchUri : undefined,
    });
    if (checked.keepSortIndex) await assertUniqueSortIndex(staged, join(scratch, "spill"));
    const version = await resolveVersion(storage, checked.name, checked.version);
    const layout = await claimRun(storage, checked.name, version);
    try {
      const origin = { environment: await environment, specs_source: await sourceOf(source.file, project.folder) };
      return await publish(storage, layout, experiment, staged, checked, scratch, origin);
    } catch (error) {
      await discard(storage, layout).catch(() => undefined); // what went wrong first is what to tell
      throw error;
    }
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Stores the inputs of a claimed run, then its manifest. */
async function publish(
  storage: Storage,
  layout: RunLayout,
  experiment: AnyExperiment,
  staged: StagedSpecs,
  checked: CheckedOptions,
  scratch: string,
  origin: Pick<ManifestDetails, "environment" | "specs_source">,
): Promise<AllocatedRun> {
  const rootRunId = randomUUID();
  const runUri = storage.uriOf(layout.experimentId);
  const target = join(scratch, "specs.pq");
  const ids = { experimentId: layout.experimentId, rootRunId, runUri };
  await writeSpecs(staged, experiment.columns.input, ids, target, {
    sort: checked.keepSortIndex,
    tempDir: join(scratch, "spill"),
  });
  await storeArtifacts(storage, staged.artifacts, (artifact) => layout.key(artifactPath(artifact)), {
    known: staged.artifacts.length > 0 ? await earlierContents(storage, layout) : new Map(),
    ...(checked.onArtifact && { onProgress: checked.onArtifact }),
  });
  const specs_sha256 = await hashFile(target);
  await storage.putFile(layout.specs, target, { move: true });
  const descriptions = await putDescriptions(storage, layout, experiment, staged, ids);
  const manifest: Manifest = {
    workflow_run_id: rootRunId,
    experiment_id: layout.experimentId,
    experiment_name: experiment.name,
    specs_uri: storage.uriOf(layout.specs),
    io_spec: storage.uriOf(layout.ioSpec),
    input_artifacts: storage.uriOf(layout.inputArtifacts),
    scythe: {
      seed: checked.seed,
      spec_count: staged.count,
      recursion: checked.recursion,
      chunk_size: checked.chunkSize,
      schema_hash: schemaHash(experiment),
      extra_columns: staged.extraColumns,
      parent_run: checked.parentRun,
      created_at: new Date().toISOString(),
      ...origin,
      command: checked.command,
      specs_sha256,
      ...descriptions,
    },
  };
  await storage.put(layout.manifest, manifestText(manifest), { ifAbsent: true });
  await updateState(storage, layout, () => ({ status: "allocated", max_failures: checked.maxFailures }));
  return { layout, manifest };
}

/** Takes back a claim that came to nothing: a folder without a manifest would stand in the way of whoever lists runs. */
async function discard(storage: Storage, layout: RunLayout): Promise<void> {
  const objects = await listAll(storage, layout.key(""));
  await storage.delete(objects.map(({ key }) => key));
}

const hashes = new WeakMap<AnyExperiment, string>();

/** Tells two codes of one experiment apart: a worker with another hash must not run its specs. */
export function schemaHash(experiment: AnyExperiment): string {
  const hash = hashes.get(experiment) ?? hashSchemas(experiment);
  hashes.set(experiment, hash);
  return hash;
}

function hashSchemas(experiment: AnyExperiment): string {
  const tables = Object.entries(experiment.tables as Record<string, { schema: never; index: string[] }>);
  return hashOf({
    name: experiment.name,
    input: jsonSchemaOf(experiment.input),
    output: jsonSchemaOf(experiment.output),
    tables: tables.map(([name, { schema, index }]) => ({ name, index, schema: jsonSchemaOf(schema) })),
  });
}

async function putDescriptions(
  storage: Storage,
  layout: RunLayout,
  experiment: AnyExperiment,
  staged: StagedSpecs,
  ids: { experimentId: string; rootRunId: string; runUri: string },
): Promise<Pick<ManifestDetails, "io_spec_sha256" | "input_artifacts_sha256" | "workflow_spec_sha256">> {
  const schema = {
    type: "object",
    title: "ExperimentIO",
    properties: { input: jsonSchemaOf(experiment.input), output: jsonSchemaOf(experiment.output) },
    required: ["input", "output"],
  };
  const files: Record<string, string[]> = {};
  const sha256: Record<string, string> = {};
  for (const artifact of staged.artifacts) {
    const uri = storage.uriOf(layout.key(artifactPath(artifact)));
    files[artifact.field] = [...(files[artifact.field] ?? []), uri];
    sha256[uri] = artifact.sha256;
  }
  const put = async (key: string, content: unknown): Promise<string> => {
    const text = stringify(content);
    await storage.put(key, text);
    return sha256Of(text);
  };
  return {
    io_spec_sha256: await put(layout.ioSpec, schema),
    input_artifacts_sha256: await put(layout.inputArtifacts, { files, sha256 }),
    workflow_spec_sha256: staged.only ? await put(layout.workflowSpec, singleSpec(staged.only, ids)) : null,
  };
}

/** Read when the specs have been: what changed in between shows as another hash. */
async function sourceOf(file: string | undefined, folder: string): Promise<SpecsFile | null> {
  if (file === undefined) return null;
  const within = relative(folder, file);
  const path = within.startsWith("..") || isAbsolute(within) ? file : within.split(sep).join("/");
  return { path, bytes: (await stat(file)).size, sha256: await hashFile(file) };
}

function artifactPath({ field, file }: PlannedArtifact): string {
  return RunLayout.artifactPath(field, file);
}

function singleSpec(
  spec: Record<string, unknown>,
  ids: { experimentId: string; rootRunId: string; runUri: string },
): Record<string, unknown> {
  const absolute = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(absolute);
    return typeof value === "string" && value.startsWith(RUN_SCHEME)
      ? `${ids.runUri}/${value.slice(RUN_SCHEME.length)}`
      : value;
  };
  const fields = Object.entries(spec).filter(([name]) => !name.startsWith("__"));
  return {
    experiment_id: ids.experimentId,
    workflow_run_id: specRunId(ids.rootRunId, Number(spec.sort_index)),
    root_workflow_run_id: ids.rootRunId,
    ...Object.fromEntries(fields.map(([name, value]) => [name, absolute(value)])),
  };
}

interface CheckedOptions {
  name: string;
  version: VersionRequest;
  recursion: Recursion;
  seed: number;
  chunkSize: number | null;
  keepSortIndex: boolean;
  parentRun: string | null;
  command: string | null;
  maxFailures: string | null;
  onArtifact: AllocateOptions["onArtifact"];
}

function checkOptions(experiment: AnyExperiment, options: AllocateOptions): CheckedOptions {
  const name = options.runName ?? experiment.name;
  if (options.runName !== undefined) assertName(name, "runName");
  const { factor, maxDepth } = options.recursion ?? { factor: 10, maxDepth: 0 };
  whole(factor, 1, 10_000, "recursion.factor");
  whole(maxDepth, 0, 10, "recursion.maxDepth");
  if (options.chunkSize !== undefined) whole(options.chunkSize, 1, 10_000_000, "chunkSize");
  if (options.parentRun !== undefined && !parseExperimentId(options.parentRun)) {
    throw new ScytheError("invalid_input", `parentRun ${JSON.stringify(options.parentRun)} is not an experiment_id`, {
      hint: "Give a run's experiment_id, as `scythe list` prints it.",
    });
  }
  if (options.seed !== undefined) whole(options.seed, 0, Number.MAX_SAFE_INTEGER, "seed");
  return {
    name,
    version: options.version ?? "bumpmajor",
    recursion: { factor, max_depth: maxDepth },
    seed: options.seed ?? randomInt(2 ** 47),
    chunkSize: options.chunkSize ?? null,
    keepSortIndex: options.keepSortIndex ?? false,
    parentRun: options.parentRun ?? null,
    command: options.command ?? null,
    maxFailures: options.maxFailures === undefined ? null : failureLimitText(options.maxFailures),
    onArtifact: options.onArtifact,
  };
}

function whole(value: unknown, low: number, high: number, what: string): void {
  if (Number.isSafeInteger(value) && (value as number) >= low && (value as number) <= high) return;
  throw new ScytheError("invalid_input", `${what} must be a whole number from ${low} to ${high}, not ${value}`, {
    hint: what.startsWith("recursion") ? "Give both: recursion: { factor: 32, maxDepth: 1 }." : "Change the option.",
  });
}
