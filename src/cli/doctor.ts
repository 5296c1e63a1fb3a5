import type { Command } from "commander";
import { type ProjectFlags, projectOptions } from "./options.ts";

export function registerDoctor(program: Command): void {
  const command = program
    .command("doctor")
    .summary("check storage, token, server, clock and workers, and say what to do")
    .description("Looks at everything that a run needs. Prints no secrets. Exit code 4 when something cannot work.")
    .option("--engine <name>", "look at what this engine needs, instead of the project's");
  projectOptions(command).action(async (flags: ProjectFlags & { engine?: string }) => {
    const { runDoctor } = await import("./run-doctor.ts");
    process.exitCode = await runDoctor(flags);
  });
}
