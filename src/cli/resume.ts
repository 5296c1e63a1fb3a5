import type { Command } from "commander";
import { projectOptions, RUN_NAME } from "./options.ts";
import { type EngineFlags, engineOptions } from "./run.ts";

export interface ResumeFlags extends EngineFlags {
  takeOver?: boolean;
}

export function registerResume(program: Command): void {
  const command = program
    .command("resume")
    .summary("drive a run on that was interrupted")
    .description(
      "Runs what has no result yet; what is done is kept. A paused run goes on where it is. One that another process " +
        "drives is left to it, unless --take-over says otherwise.",
    )
    .argument("<run>", RUN_NAME)
    .option("--take-over", "also from a driver that lives: it has no effect from then on");
  engineOptions(projectOptions(command)).action(async (run: string, flags: ResumeFlags) => {
    const { resumeRun } = await import("./resume-run.ts");
    process.exitCode = await resumeRun(run, flags);
  });
}
