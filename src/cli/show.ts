import type { Command } from "commander";
import { type ProjectFlags, projectOptions, RUN_NAME } from "./options.ts";

export function registerShow(program: Command): void {
  const command = program
    .command("show")
    .summary("show what a run is, how far it came and what made it")
    .description("Shows a run's manifest, state and report.")
    .argument("<run>", RUN_NAME);
  projectOptions(command).action(async (run: string, flags: ProjectFlags) => {
    const { showRun } = await import("./show-run.ts");
    await showRun(run, flags);
  });
}
