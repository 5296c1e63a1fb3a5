import { type Command, InvalidArgumentError, Option } from "commander";
import { projectOptions, RUN_NAME } from "./options.ts";
import { type EngineFlags, engineOptions } from "./run.ts";

export interface RetryFlags extends EngineFlags {
  failed?: boolean;
  kind?: string[];
  spec?: number[];
  timeout?: string;
}

const EXAMPLES = `
Examples:
  scythe retry projectile --failed
  scythe retry projectile --kind timeout --timeout 10m
  scythe retry projectile@v2.0.0 --spec 17,205`;

export function registerRetry(program: Command): void {
  const command = program
    .command("retry")
    .summary("run the failed specs of a complete run again")
    .description(
      "Runs failed specs again, as a new generation of the run. The tables stay as they are until all of it is done; then they hold the new rows, too.",
    )
    .argument("<run>", RUN_NAME)
    .option("--failed", "the failed specs, all unless --kind or --spec chooses (the default)")
    .addOption(
      new Option("--kind <kinds>", "those that failed so: error, timeout, crash, …; several split by commas").argParser(
        listOf((text) => text),
      ),
    )
    .addOption(
      new Option("--spec <sort_index>", "these failed specs alone, split by commas").argParser(listOf(sortIndex)),
    )
    .option("--timeout <duration>", 'longest time of one try in this retry, such as "10m"')
    .addHelpText("after", EXAMPLES);
  engineOptions(projectOptions(command)).action(async (run: string, flags: RetryFlags) => {
    const { retryRun } = await import("./retry-run.ts");
    process.exitCode = await retryRun(run, flags);
  });
}

/** Values split by commas; the option may be given again. */
function listOf<T>(parse: (text: string) => T): (text: string, before?: T[]) => T[] {
  return (text, before = []) => [
    ...before,
    ...text
      .split(",")
      .filter((value) => value.trim() !== "")
      .map((value) => parse(value.trim())),
  ];
}

function sortIndex(text: string): number {
  if (/^\d+$/.test(text) && Number.isSafeInteger(Number(text))) return Number(text);
  throw new InvalidArgumentError("It must be whole numbers, split by commas.");
}
