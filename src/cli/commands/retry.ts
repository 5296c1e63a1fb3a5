import { type Command, InvalidArgumentError, Option } from "commander";
import type { Run } from "../../index.ts";
import { driveRun } from "../drive-run.ts";
import { EXIT } from "../exit.ts";
import { withProject } from "../open-project.ts";
import { projectOptions, RUN_NAME } from "../options.ts";
import { note, print } from "../output.ts";
import { type EngineFlags, engineOptions, overridesOf } from "../run-options.ts";
import { jsonText } from "../view/json-text.ts";
import { countText } from "../view/units.ts";

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

export function register(command: Command): void {
  command
    .description(
      "Runs failed specs again, as a new generation of the run. The tables do not change until all of it is done; then they have the new rows, too.",
    )
    .argument("<run>", RUN_NAME)
    .option("--failed", "all failed specs, unless --kind or --spec chooses (the default)")
    .addOption(
      new Option(
        "--kind <kinds>",
        "failures of this kind: error, timeout, crash, …; several separated by commas",
      ).argParser(listOf((text) => text)),
    )
    .addOption(
      new Option("--spec <sort_index>", "only these failed specs, separated by commas").argParser(listOf(sortIndex)),
    )
    .option("--timeout <duration>", 'time limit per try, for this retry only, such as "10m"')
    .addHelpText("after", EXAMPLES);
  engineOptions(projectOptions(command)).action(async (run: string, flags: RetryFlags) => {
    process.exitCode = await retryRun(run, flags);
  });
}

/** Values separated by commas; the option may be given again. */
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
  throw new InvalidArgumentError("It must be whole numbers, separated by commas.");
}

/** Runs failed specs again, to the end. Returns the exit code. */
export async function retryRun(reference: string, flags: RetryFlags): Promise<number> {
  const { kind, spec, timeout } = flags;
  return withProject(overridesOf(flags), async (project) => {
    const { experimentId } = await project.findRun(reference); // by then the name may mean a later run
    const run = await project.retry(experimentId, {
      ...(kind === undefined ? {} : { kind }),
      ...(spec === undefined ? {} : { specs: spec }),
      ...(timeout === undefined ? {} : { timeout }),
    });
    if (!run) return nothingToDo(await project.findRun(experimentId), flags);
    if (!flags.json) await print(`${run.experimentId}\n`);
    return driveRun(run, flags.json);
  });
}

async function nothingToDo(run: Run, { kind, json }: RetryFlags): Promise<number> {
  const { report } = await run.openResults();
  const kinds = Object.entries(report?.failed_by_kind ?? {}).map(([name, count]) => `${name} ${countText(count)}`);
  const but = kinds.length > 0 ? `; it has: ${kinds.join(" · ")}` : "";
  note(`${run.experimentId} has no failed specs${kind ? ` of kind ${kind.join(", ")}` : ""}${but}. Nothing was run.`);
  if (json) await print(`${jsonText(await run.outcome(), 2)}\n`);
  return EXIT.ok;
}
