import type { Command } from "commander";
import { type ProjectFlags, projectOptions } from "./options.ts";

export interface GcFlags extends ProjectFlags {
  delete?: boolean;
}

export function registerGc(program: Command): void {
  const command = program
    .command("gc")
    .summary("remove what complete runs no longer need")
    .description(
      "Lists, and with --delete removes, scatter-gather/ of complete runs: plans, parts and logs that made their tables; logs of failed specs stay. What a run has besides is never touched, nor is a run that is not complete.",
    )
    .argument("[experiment]", "an experiment or run name (default: all)")
    .option("--delete", "remove it, instead of listing what would be removed");
  projectOptions(command).action(async (experiment: string | undefined, flags: GcFlags) => {
    const { removeGarbage } = await import("./remove-garbage.ts");
    await removeGarbage(experiment, flags);
  });
}
