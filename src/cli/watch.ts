import type { Command } from "commander";
import { type ProjectFlags, projectOptions, RUN_NAME } from "./options.ts";

export function registerWatch(program: Command): void {
  const command = program
    .command("watch")
    .summary("follow a run that any process drives, to its end")
    .description(
      "Shows the run's progress until it has ended; the exit code is that of `scythe run`. Ctrl-C ends the watching, not " +
        "the run. With --json, a line of JSON for each look.",
    )
    .argument("<run>", RUN_NAME);
  projectOptions(command).action(async (run: string, flags: ProjectFlags) => {
    const { watchRun } = await import("./watch-run.ts");
    process.exitCode = await watchRun(run, flags);
  });
}
