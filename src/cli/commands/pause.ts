import type { Command } from "commander";
import { withStorage } from "../open-project.ts";
import { type ProjectFlags, projectOptions, RUN_NAME } from "../options.ts";
import { note, print } from "../output.ts";
import { jsonText } from "../view/json-text.ts";

const EXAMPLES = `
Examples:
  scythe pause projectile
  scythe resume projectile`;

export function register(command: Command): void {
  command
    .description("Starts no more specs of a run; running ones finish. `scythe resume` continues it.")
    .argument("<run>", RUN_NAME)
    .addHelpText("after", EXAMPLES);
  projectOptions(command).action(async (run: string, flags: ProjectFlags) => {
    await pauseRun(run, flags);
  });
}

export async function pauseRun(reference: string, flags: ProjectFlags): Promise<void> {
  await withStorage(flags, async (project) => {
    const run = await project.findRun(reference);
    await run.pause();
    if (flags.json) return print(`${jsonText({ experiment_id: run.experimentId, status: "paused" }, 2)}\n`);
    await print(`${run.experimentId}\n`);
    note(`No more specs are started; running ones finish. To continue: scythe resume ${run.experimentId}`);
  });
}
