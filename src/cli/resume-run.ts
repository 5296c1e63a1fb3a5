import { driveRun } from "./drive-run.ts";
import { EXIT } from "./exit.ts";
import { jsonText } from "./json-text.ts";
import { withProject } from "./open-project.ts";
import { note, print } from "./output.ts";
import type { ResumeFlags } from "./resume.ts";
import { overridesOf } from "./run-experiment.ts";

/** Drives a run on to its end, or lets a paused one go on where it is. Returns the exit code. */
export async function resumeRun(reference: string, flags: ResumeFlags): Promise<number> {
  return withProject(overridesOf(flags), async (project) => {
    const run = await project.findRun(reference);
    project.registry.get(run.manifest.experiment_name);
    const how = await run.resume({
      takeOver: flags.takeOver ?? false,
      onWait: (driver) =>
        note(`listening for a minute whether its driver lives (${driver}); --take-over does not wait`),
      ...(flags.maxFailures !== undefined && { maxFailures: flags.maxFailures as `${number}%` }),
    });
    if (how === "driven") {
      if (!flags.json) await print(`${run.experimentId}\n`);
      return driveRun(project, run, flags.json);
    }
    const { experimentId } = run;
    if (flags.json) await print(`${jsonText({ experiment_id: experimentId, status: "running" }, 2)}\n`);
    else await print(`${experimentId}\n`);
    note(`It goes on where it was paused. To see it: scythe watch ${experimentId}`);
    return EXIT.ok;
  });
}
