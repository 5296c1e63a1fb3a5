import type { Command } from "commander";
import { projectOptions, RUN_NAME } from "./options.ts";
import { type EngineFlags, engineOptions } from "./run.ts";

export function registerResume(program: Command): void {
  const command = program
    .command("resume")
    .summary("drive a run on that was interrupted")
    .description(
      "Runs what has no result yet; what is done is kept. Whoever drove the run before has no effect any more.",
    )
    .argument("<run>", RUN_NAME);
  engineOptions(projectOptions(command)).action(async (run: string, flags: EngineFlags) => {
    const { resumeRun } = await import("./resume-run.ts");
    process.exitCode = await resumeRun(run, flags);
  });
}
