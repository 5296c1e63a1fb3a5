import type { Command } from "commander";
import { FAILURE_KINDS } from "../experiment/retry.ts";
import { limitOption, type ProjectFlags, projectOptions, RUN_NAME } from "./options.ts";

export interface ErrorsFlags extends ProjectFlags {
  limit?: number;
  kind?: string;
}

export function registerErrors(program: Command): void {
  const command = program
    .command("errors")
    .summary("say which specs of a run failed, and why")
    .description("Shows the failed specs of a run: grouped by what went wrong, then one by one.")
    .argument("<run>", RUN_NAME)
    .option("--kind <kind>", `one kind alone: ${FAILURE_KINDS.join(", ")}`)
    .addOption(limitOption("failed specs that are shown (default: 20; with --json all)"));
  projectOptions(command).action(async (run: string, flags: ErrorsFlags) => {
    const { showErrors } = await import("./show-errors.ts");
    await showErrors(run, flags);
  });
}
