import { randomUUID } from "node:crypto";
import { rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { ScytheError } from "../errors.ts";
import type { AnyExperiment } from "../experiment/define.ts";
import { hashFile, storeArtifacts } from "../files/artifacts.ts";
import { assertNotAborted } from "../run/abort.ts";
import { sha256Of } from "../run/checksum.ts";
import { captureEnvironment } from "../run/environment.ts";
import type { RunLayout } from "../run/layout.ts";
import { type Manifest, type ManifestDetails, manifestText, type SpecsFile } from "../run/manifest.ts";
import { updateState } from "../run/state.ts";
import { resolveVersion } from "../run/version.ts";
import type { DesignDescription } from "../sampling/design/plan.ts";
import { listAll, type Storage } from "../storage/storage.ts";
import { makeScratch } from "../temporary.ts";
import { type AllocatingProject, allowedIn } from "./allowed-references.ts";
import { type BaseRun, type BaseSpecs, baseSpecs, copyBase, movesBetween } from "./base-run.ts";
import { claimRun } from "./claim.ts";
import { artifactPath, putDescriptions } from "./descriptions.ts";
import { earlierContents } from "./earlier-contents.ts";
import { type AllocateOptions, type CheckedOptions, checkAllocateOptions } from "./options.ts";
import { assertUniqueSortIndex, joinSpecs, type SpecIds, writeSpecs } from "./publish.ts";
import { relativeWithin } from "./relative-within.ts";
import { specSource } from "./spec-source.ts";
import { type StagedSpecs, stageSpecs } from "./stage.ts";

export interface AllocatedRun {
  layout: RunLayout;
  manifest: Manifest;
}

/**
 * Turns specs into a run that is ready to start: checked, versioned, its inputs stored. Nothing is stored unless every
 * spec is valid. The manifest is written last, so a run with a manifest is complete.
 * @param extended the base run whose specs and rows the run inherits
 */
export async function allocateRun(
  storage: Storage,
  experiment: AnyExperiment,
  specs: unknown,
  options: AllocateOptions,
  project: AllocatingProject,
  extended?: BaseRun,
): Promise<AllocatedRun> {
  const checked = checkAllocateOptions(experiment, options);
  const environment = captureEnvironment(project.folder);
  const scratch = await makeScratch("allocate");
  try {
    const base = extended && (await baseSpecs(storage, extended, scratch));
    assertNotAborted(options.signal);
    const reading = { signal: options.signal, notice: options.onNotice };
    const source = specSource(specs, experiment.columns.input, reading);
    const staged = await stageSpecs(experiment, source, join(scratch, "staged.pq"), {
      keepSortIndex: checked.keepSortIndex,
      after: base?.after,
      signal: options.signal,
      copyFrom: options.copyInputs ? project.fetchUri : undefined,
      allowed: allowedIn(storage, project, options.allowPaths),
    });
    if (checked.keepSortIndex) await assertUniqueSortIndex(staged, join(scratch, "spill"));
    assertNotAborted(options.signal);
    const version = await resolveVersion(storage, checked.name, checked.version, extended?.layout.id.version);
    const layout = await claimRun(storage, checked.name, version);
    try {
      const origin = { environment: await environment, specs_source: await sourceOf(source.file, project.folder) };
      const design = source.design?.descriptionFor(base?.run.details);
      return await publish({ storage, layout, experiment, staged, checked, base, scratch, origin, design });
    } catch (error) {
      await discard(storage, layout).catch(() => undefined); // report the first error, not this one
      throw error;
    }
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** A claimed run, about to be stored. */
interface Publication {
  storage: Storage;
  layout: RunLayout;
  experiment: AnyExperiment;
  staged: StagedSpecs;
  checked: CheckedOptions;
  base: BaseSpecs | undefined;
  scratch: string;
  origin: Pick<ManifestDetails, "environment" | "specs_source">;
  design: DesignDescription | undefined;
}

/** Stores the inputs of a claimed run, then its manifest. */
async function publish(run: Publication): Promise<AllocatedRun> {
  const { storage, layout, experiment, staged, checked, base } = run;
  const ids: SpecIds = {
    experimentId: layout.experimentId,
    rootRunId: randomUUID(),
    runUri: storage.uriOf(layout.experimentId),
  };
  const specs_sha256 = await publishSpecs(run, ids);
  await storeArtifacts(storage, staged.artifacts, (artifact) => layout.key(artifactPath(artifact)), {
    known: staged.artifacts.length > 0 ? await earlierContents(storage, layout) : new Map(),
    ...(checked.onArtifact && { onProgress: checked.onArtifact }),
  });
  const only = base ? undefined : staged.only;
  const artifacts = [...(base?.run.artifacts ?? []), ...staged.artifacts];
  const descriptions = await putDescriptions(storage, layout, experiment, artifacts, only, ids);
  const manifest: Manifest = {
    workflow_run_id: ids.rootRunId,
    experiment_id: layout.experimentId,
    experiment_name: experiment.name,
    specs_uri: storage.uriOf(layout.specs),
    io_spec: storage.uriOf(layout.ioSpec),
    input_artifacts: storage.uriOf(layout.inputArtifacts),
    scythe: {
      seed: checked.seed,
      spec_count: (base?.run.details.spec_count ?? 0) + staged.count,
      recursion: checked.recursion,
      chunk_size: checked.chunkSize,
      schema_hash: experiment.schemaHash,
      extra_columns: staged.extraColumns,
      union_columns: true,
      ...(run.design && { design: run.design }),
      parent_run: checked.parentRun,
      ...(base && { carried_count: base.run.details.spec_count }),
      created_at: new Date().toISOString(),
      ...run.origin,
      command: checked.command,
      specs_sha256,
      ...descriptions,
      ...(checked.study !== undefined && { study_sha256: sha256Of(checked.study) }),
    },
  };
  if (checked.study !== undefined) await storage.put(layout.study, checked.study);
  await storage.put(layout.manifest, manifestText(manifest), { ifAbsent: true });
  await updateState(storage, layout, () => ({ status: "allocated", max_failures: checked.maxFailures }));
  return { layout, manifest };
}

/**
 * Writes `specs.pq` and returns its hash. For an extending run also stores the added specs and copies what the base run
 * has.
 */
async function publishSpecs(run: Publication, ids: SpecIds): Promise<string> {
  const { storage, layout, experiment, staged, checked, base, scratch } = run;
  const tempDir = join(scratch, "spill");
  const target = join(scratch, "specs.pq");
  const { input } = experiment.columns;
  await writeSpecs(staged, input, ids, target, { sort: checked.keepSortIndex, tempDir });
  if (!base) return putHashed(storage, layout.specs, target);
  const joined = join(scratch, "joined.pq");
  const moves = movesBetween(storage, base.run, layout);
  const count = base.run.details.spec_count + staged.count;
  await joinSpecs(base.specs, target, joined, [...input, ...staged.extraColumns], { moves, count, tempDir });
  await copyBase(storage, base.run, layout);
  await storage.putFile(layout.addedSpecs, target, { move: true });
  return putHashed(storage, layout.specs, joined);
}

async function putHashed(storage: Storage, key: string, path: string): Promise<string> {
  const sha256 = await hashFile(path);
  await storage.putFile(key, path, { move: true });
  return sha256;
}

/** Hashed after the specs were read: a change in between shows as another hash. */
async function sourceOf(file: string | undefined, folder: string): Promise<SpecsFile | null> {
  if (file === undefined) return null;
  const path = relativeWithin(folder, file) ?? file;
  return { path, bytes: (await stat(file)).size, sha256: await hashFile(file) };
}

/** Removes a claim after a failure: a folder without a manifest would disturb listings. */
async function discard(storage: Storage, layout: RunLayout): Promise<void> {
  const objects = await listAll(storage, layout.key(""));
  await storage.delete(objects.map(({ key }) => key));
}

/** @throws ScytheError `conflict` when the experiment's schemas differ from those of the run */
export function assertSameSchema(experiment: AnyExperiment, details: ManifestDetails, layout: RunLayout): void {
  if (experiment.schemaHash === details.schema_hash) return;
  const commit = details.environment.git_commit;
  throw new ScytheError(
    "conflict",
    `The schemas of ${experiment.name} differ from those of run ${layout.experimentId}`,
    {
      hint: `New rows would not fit its tables. Restore input, output and tables${commit ? ` (as of git ${commit.slice(0, 12)})` : ""}, or allocate a new run.`,
    },
  );
}
