import type { Command } from "commander";
import { type ProjectFlags, projectOptions, RUN_NAME } from "./options.ts";

export interface CancelFlags extends ProjectFlags {
  now?: boolean;
}

export function registerCancel(program: Command): void {
  const command = program
    .command("cancel")
    .summary("stop a run, wherever it is driven; what is done is kept")
    .description("Lets the specs in hand finish, stops the run, and returns when whoever drives it has stopped.")
    .argument("<run>", RUN_NAME)
    .option("--now", "kill the specs in hand instead of waiting for them");
  projectOptions(command).action(async (run: string, flags: CancelFlags) => {
    const { cancelRun } = await import("./steer-run.ts");
    await cancelRun(run, flags);
  });
}

export function registerPause(program: Command): void {
  const command = program
    .command("pause")
    .summary("let a run begin no more specs until `scythe resume`")
    .description("The specs in hand are finished, and what is done is kept. `scythe resume` lets the run go on.")
    .argument("<run>", RUN_NAME);
  projectOptions(command).action(async (run: string, flags: ProjectFlags) => {
    const { pauseRun } = await import("./steer-run.ts");
    await pauseRun(run, flags);
  });
}
