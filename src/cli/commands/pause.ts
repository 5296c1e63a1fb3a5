import type { Command } from "commander";
import { withStorage } from "../open-project.ts";
import { type ProjectFlags, projectOptions, RUN_NAME } from "../options.ts";
import { note, print } from "../output.ts";
import { jsonText } from "../view/json-text.ts";

export function register(command: Command): void {
  command
    .description("The specs in hand are finished, and what is done is kept. `scythe resume` lets the run go on.")
    .argument("<run>", RUN_NAME);
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
    note(`It begins no more specs; those in hand are finished. To go on: scythe resume ${run.experimentId}`);
  });
}
