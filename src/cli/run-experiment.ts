import type { Overrides } from "../config.ts";
import { isScytheError, ScytheError } from "../errors.ts";
import type { Scythe } from "../project.ts";
import type { AllocateOptions } from "../run/allocate.ts";
import type { SpecsInput } from "../run/spec-source.ts";
import type { Run } from "../study/run.ts";
import { EXIT } from "./exit.ts";
import { untilInterrupted } from "./interrupt.ts";
import { jsonText } from "./json-text.ts";
import { withProject } from "./open-project.ts";
import { note, print } from "./output.ts";
import { progressView } from "./progress-view.ts";
import type { RunFlags } from "./run.ts";
import { outcomeOf, type RunOutcome } from "./run-outcome.ts";
import { runSummary } from "./run-summary.ts";
import { specsFromFlags } from "./spec-flags.ts";
import { styleFor } from "./style.ts";

/** Allocates, watches and sums up a run. Returns the exit code. */
export async function runExperiment(name: string, specsFile: string | undefined, flags: RunFlags): Promise<number> {
  const options = allocateOptions(flags);
  return withProject(overridesOf(flags), async (project) => {
    const experiment = project.registry.get(name);
    const specs = specsFromFlags(experiment, oneSpecFile(specsFile, flags));
    const run = await allocate(project, name, specs, options);
    if (!flags.json) await print(`${run.experimentId}\n`);
    const { outcome, interrupted } = await drive(project, run);
    if (flags.json) await print(`${jsonText(outcome, 2)}\n`);
    const summary = runSummary(outcome, { style: styleFor(process.stderr), width: process.stderr.columns || 100 });
    note(summary);
    if (outcome.status === "complete") return outcome.failed > 0 ? EXIT.failedSpecs : EXIT.ok;
    return interrupted ? EXIT.interrupted : EXIT.cancelled;
  });
}

async function allocate(
  project: Scythe,
  name: string,
  specs: SpecsInput<Record<string, unknown>>,
  options: AllocateOptions,
) {
  const watch = untilInterrupted(() => {
    note("interrupted before the run had started");
    void project.close().finally(() => process.exit(EXIT.interrupted));
  });
  try {
    return await project.allocate(name, specs, options);
  } finally {
    watch.stop();
  }
}

/** Watches a run to its end, whichever that is. @throws what failed the run as a whole */
async function drive(project: Scythe, run: Run): Promise<{ outcome: RunOutcome; interrupted: boolean }> {
  const view = await progressView();
  const watch = untilInterrupted(() => {
    view.say("stopping after the specs in hand; press Ctrl-C again to quit at once");
    void run.cancel();
  });
  try {
    await view.follow(run);
    await run.result();
  } catch (error) {
    if (!isScytheError(error) || error.code !== "cancelled") throw error;
  } finally {
    watch.stop();
  }
  return { outcome: await outcomeOf(project.storage, run), interrupted: watch.interrupted };
}

function oneSpecFile(specsFile: string | undefined, flags: RunFlags): RunFlags {
  if (specsFile === undefined) return flags;
  if (flags.specs === undefined) return { ...flags, specs: specsFile };
  throw new ScytheError("invalid_input", `Two spec files are given: ${specsFile} and ${flags.specs}`, {
    hint: "Give one, as an argument or by --specs.",
  });
}

function overridesOf({ storage, engine, slots }: RunFlags): Overrides {
  return {
    ...(storage === undefined ? {} : { storage }),
    ...(engine === undefined ? {} : { engine }),
    ...(slots === undefined ? {} : { slots }),
  };
}

function allocateOptions(flags: RunFlags): AllocateOptions {
  const { factor, maxDepth } = flags;
  if ((factor === undefined) !== (maxDepth === undefined)) {
    throw new ScytheError("invalid_input", "--factor and --max-depth need each other", {
      hint: "Give both, such as --factor 32 --max-depth 1, or neither.",
    });
  }
  return {
    ...(flags.versionBump === undefined ? {} : { version: flags.versionBump }),
    ...(flags.runName === undefined ? {} : { runName: flags.runName }),
    ...(flags.seed === undefined ? {} : { seed: flags.seed }),
    ...(flags.chunkSize === undefined ? {} : { chunkSize: flags.chunkSize }),
    ...(flags.keepSortIndex === undefined ? {} : { keepSortIndex: flags.keepSortIndex }),
    ...(factor === undefined || maxDepth === undefined ? {} : { recursion: { factor, maxDepth } }),
  };
}
