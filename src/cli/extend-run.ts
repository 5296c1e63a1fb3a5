import { detailsOf } from "../run/manifest.ts";
import { commandText } from "./command-text.ts";
import { driveRun } from "./drive-run.ts";
import type { ExtendFlags } from "./extend.ts";
import { withProject } from "./open-project.ts";
import { note, print } from "./output.ts";
import { allocateOptions, oneSpecFile, overridesOf, untilAllocated } from "./run-experiment.ts";
import { givenSpecs } from "./spec-flags.ts";
import { countText, plural } from "./units.ts";

/** Allocates, watches and sums up a run that extends another. Returns the exit code. */
export async function extendRun(reference: string, specsFile: string | undefined, flags: ExtendFlags): Promise<number> {
  const options = allocateOptions(flags);
  return withProject(overridesOf(flags), async (project) => {
    const base = await project.findRun(reference);
    const experiment = project.registry.get(base.manifest.experiment_name);
    const specs = await givenSpecs(project, experiment, oneSpecFile(specsFile, flags));
    const all = { ...options, command: commandText(process.argv.slice(2)) };
    const run = await untilAllocated(project, () => project.extend(base.experimentId, specs, all));
    const { carried_count = 0, spec_count } = detailsOf(run.manifest);
    note(
      `${plural(carried_count, "spec")} of ${base.experimentId} kept; ${countText(spec_count - carried_count)} to run`,
    );
    if (!flags.json) await print(`${run.experimentId}\n`);
    return driveRun(project, run, flags.json);
  });
}
