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

const EXAMPLES = `
Examples:
  scythe resume projectile
  scythe resume projectile --slots 8
  scythe resume projectile@v2.0.0 --take-over`;

export function register(command: Command): void {
  command
    .description(
      "Continues an interrupted run: finished chunks are kept, the rest is run. A paused run continues in the process that " +
        "drives it. A run whose driver is alive is not resumed, except with --take-over.",
    )
    .argument("<run>", RUN_NAME)
    .option("--take-over", "take the run even from a driver that is alive, which can no longer commit then")
    .addHelpText("after", EXAMPLES);
  engineOptions(projectOptions(command)).action(async (run: string, flags: ResumeFlags) => {
    process.exitCode = await resumeRun(run, flags);
  });
}

/** Drives a run to its end, or lets a paused one continue in its driver. Returns the exit code. */
export async function resumeRun(reference: string, flags: ResumeFlags): Promise<number> {
  return withProject(overridesOf(flags), async (project) => {
    const run = await project.findRun(reference);
    project.registry.get(run.manifest.experiment_name);
    const how = await run.resume({
      takeOver: flags.takeOver ?? false,
      onWait: (driver) =>
        note(`waiting up to a minute to see whether its driver is alive (${driver}); --take-over does not wait`),
      ...(flags.maxFailures !== undefined && { maxFailures: flags.maxFailures as `${number}%` }),
    });
    if (how === "driven") {
      if (!flags.json) await print(`${run.experimentId}\n`);
      return driveRun(run, flags.json);
    }
    const { experimentId } = run;
    if (flags.json) await print(`${jsonText({ experiment_id: experimentId, status: "running" }, 2)}\n`);
    else await print(`${experimentId}\n`);
    note(`It continues in the process that drives it. To follow it: scythe watch ${experimentId}`);
    return EXIT.ok;
  });
}
