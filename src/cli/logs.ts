import { type Command, Option } from "commander";
import { type ProjectFlags, projectOptions, RUN_NAME, wholeNumber } from "./options.ts";

export interface LogsFlags extends ProjectFlags {
  spec?: number;
  follow?: boolean;
  failed?: boolean;
}

const EXAMPLES = `
Examples:
  scythe logs projectile --spec 17
  scythe logs projectile --failed
  scythe logs projectile --follow`;

export function registerLogs(program: Command): void {
  const command = program
    .command("logs")
    .summary("show what a run's specs said: ctx.log, and what they printed")
    .description(
      "Shows what specs said by ctx.log, and what they and the programs that they started printed, spec by spec; of a run that goes on, what they said so far.",
    )
    .argument("<run>", RUN_NAME)
    .addOption(new Option("--spec <sort_index>", "one spec alone").argParser(wholeNumber(0)))
    .option("--failed", "failed specs alone")
    .option("--follow", "go on until the run has ended; with --json, a line of JSON for each text")
    .addHelpText("after", EXAMPLES);
  projectOptions(command).action(async (run: string, flags: LogsFlags) => {
    const { showLogs } = await import("./show-logs.ts");
    await showLogs(run, flags);
  });
}
