import { driveRun } from "./drive-run.ts";
import { withProject } from "./open-project.ts";
import { print } from "./output.ts";
import type { EngineFlags } from "./run.ts";
import { overridesOf } from "./run-experiment.ts";

/** Drives a run on to its end. Returns the exit code. */
export async function resumeRun(reference: string, flags: EngineFlags): Promise<number> {
  return withProject(overridesOf(flags), async (project) => {
    const run = await project.resume(reference);
    if (!flags.json) await print(`${run.experimentId}\n`);
    return driveRun(project, run, flags.json);
  });
}
