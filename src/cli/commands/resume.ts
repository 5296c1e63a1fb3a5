import type { Command } from "commander";
import { driveRun } from "../drive-run.ts";
import { EXIT } from "../exit.ts";
import { withProject } from "../open-project.ts";
import { projectOptions, RUN_NAME } from "../options.ts";
import { note, print } from "../output.ts";
import { type EngineFlags, engineOptions, overridesOf } from "../run-options.ts";
import { jsonText } from "../view/json-text.ts";

export interface ResumeFlags extends EngineFlags {
  takeOver?: boolean;
}

export function register(command: Command): void {
  command
    .description(
      "Runs what has no result yet; what is done is kept. A paused run goes on where it is. One that another process " +
        "drives is left to it, unless --take-over says otherwise.",
    )
    .argument("<run>", RUN_NAME)
    .option("--take-over", "also from a driver that lives: it has no effect from then on");
  engineOptions(projectOptions(command)).action(async (run: string, flags: ResumeFlags) => {
    process.exitCode = await resumeRun(run, flags);
  });
}

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
      return driveRun(run, flags.json);
    }
    const { experimentId } = run;
    if (flags.json) await print(`${jsonText({ experiment_id: experimentId, status: "running" }, 2)}\n`);
    else await print(`${experimentId}\n`);
    note(`It goes on where it was paused. To see it: scythe watch ${experimentId}`);
    return EXIT.ok;
  });
}
