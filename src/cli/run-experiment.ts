import type { AllocateOptions } from "../allocate/options.ts";
import type { Overrides } from "../config.ts";
import { ScytheError } from "../errors.ts";
import type { Scythe } from "../project.ts";
import type { Run } from "../runs/run.ts";
import { commandText } from "./command-text.ts";
import { driveRun } from "./drive-run.ts";
import { EXIT } from "./exit.ts";
import { untilInterrupted } from "./interrupt.ts";
import { withProject } from "./open-project.ts";
import { note, print } from "./output.ts";
import type { EngineFlags, RunFlags } from "./run.ts";
import { givenSpecs } from "./spec-flags.ts";

/** Allocates, watches and sums up a run. Returns the exit code. */
export async function runExperiment(name: string, specsFile: string | undefined, flags: RunFlags): Promise<number> {
  const options = allocateOptions(flags);
  return withProject(overridesOf(flags), async (project) => {
    const experiment = project.registry.get(name);
    const specs = await givenSpecs(project, experiment, oneSpecFile(specsFile, flags));
    const parentName = flags.parent ?? flags.specsOf;
    const parent = parentName === undefined ? {} : { parentRun: (await project.findRun(parentName)).experimentId };
    const command = commandText(process.argv.slice(2));
    const run = await untilAllocated(project, () => project.allocate(name, specs, { ...options, ...parent, command }));
    if (!flags.json) await print(`${run.experimentId}\n`);
    return driveRun(project, run, flags.json);
  });
}

/** Ctrl-C ends the process while specs are read and stored. */
export async function untilAllocated(project: Scythe, allocate: () => Promise<Run>): Promise<Run> {
  const watch = untilInterrupted(() => {
    note("interrupted before the run had started");
    void project.close().finally(() => process.exit(EXIT.interrupted));
  });
  try {
    return await allocate();
  } finally {
    watch.stop();
  }
}

export function oneSpecFile<F extends Pick<RunFlags, "specs">>(specsFile: string | undefined, flags: F): F {
  if (specsFile === undefined) return flags;
  if (flags.specs === undefined) return { ...flags, specs: specsFile };
  throw new ScytheError("invalid_input", `Two spec files are given: ${specsFile} and ${flags.specs}`, {
    hint: "Give one, as an argument or by --specs.",
  });
}

export function overridesOf({ storage, engine, slots }: EngineFlags): Overrides {
  return {
    ...(storage === undefined ? {} : { storage }),
    ...(engine === undefined ? {} : { engine }),
    ...(slots === undefined ? {} : { slots }),
  };
}

export function allocateOptions(flags: RunFlags): AllocateOptions {
  const { factor, maxDepth } = flags;
  if ((factor === undefined) !== (maxDepth === undefined)) {
    throw new ScytheError("invalid_input", "--factor and --max-depth need each other", {
      hint: "Give both, such as --factor 32 --max-depth 1, or neither.",
    });
  }
  return {
    onNotice: note,
    ...(flags.versionBump === undefined ? {} : { version: flags.versionBump }),
    ...(flags.runName === undefined ? {} : { runName: flags.runName }),
    ...(flags.seed === undefined ? {} : { seed: flags.seed }),
    ...(flags.maxFailures === undefined ? {} : { maxFailures: flags.maxFailures as `${number}%` }),
    ...(flags.chunkSize === undefined ? {} : { chunkSize: flags.chunkSize }),
    ...(flags.allowPath === undefined ? {} : { allowPaths: flags.allowPath }),
    ...(flags.copyInputs === undefined ? {} : { copyInputs: flags.copyInputs }),
    ...(flags.keepSortIndex === undefined ? {} : { keepSortIndex: flags.keepSortIndex }),
    ...(factor === undefined || maxDepth === undefined ? {} : { recursion: { factor, maxDepth } }),
  };
}
