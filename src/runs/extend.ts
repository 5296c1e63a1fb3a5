import { type AllocatedRun, allocateRun, assertSameSchema } from "../allocate/allocate.ts";
import type { AllocatingProject } from "../allocate/allowed-references.ts";
import { openBaseRun } from "../allocate/base-run.ts";
import type { AllocateOptions } from "../allocate/options.ts";
import type { AnyExperiment } from "../experiment/define.ts";
import { assertKnownKeys, type Keys } from "../known-keys.ts";
import type { RunLayout } from "../run/layout.ts";
import type { Storage } from "../storage/storage.ts";

/** As for an allocation. Defaults are those of the base run, with its version's next patch. */
export type ExtendOptions = Pick<
  AllocateOptions,
  "version" | "recursion" | "chunkSize" | "copyInputs" | "allowPaths" | "command" | "onArtifact" | "onNotice" | "signal"
>;

const OPTIONS: Keys<ExtendOptions> = {
  version: true,
  recursion: true,
  chunkSize: true,
  copyInputs: true,
  allowPaths: true,
  command: true,
  onArtifact: true,
  onNotice: true,
  signal: true,
};

/**
 * Allocates a run that inherits the specs and rows of a complete run and adds specs. It keeps the seed, so every spec's
 * random numbers are as in one run of all specs. Once its manifest is written, the new run is independent: it has
 * copies of everything it needs.
 * @throws ScytheError `conflict` when the run is not complete or the experiment's schemas have changed
 */
export async function extendRun(
  storage: Storage,
  layout: RunLayout,
  experiment: AnyExperiment,
  specs: unknown,
  options: ExtendOptions,
  project: AllocatingProject,
): Promise<AllocatedRun> {
  assertKnownKeys(options, OPTIONS, "extend");
  const base = await openBaseRun(storage, layout);
  assertSameSchema(experiment, base.details, layout);
  const { seed, recursion, chunk_size } = base.details;
  const all: AllocateOptions = {
    version: "bumppatch",
    recursion: { factor: recursion.factor, maxDepth: recursion.max_depth },
    ...(chunk_size === null ? {} : { chunkSize: chunk_size }),
    ...options,
    seed,
    runName: layout.id.name,
    parentRun: layout.experimentId,
  };
  return allocateRun(storage, experiment, specs, all, project, base);
}
