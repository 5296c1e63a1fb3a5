import { type Command, Option } from "commander";
import type { RunLogs, SpecLog } from "../../index.ts";
import { withStorage } from "../open-project.ts";
import { type ProjectFlags, projectOptions, RUN_NAME, wholeNumber } from "../options.ts";
import { note, print } from "../output.ts";
import { oneLine } from "../view/cell-text.ts";
import { jsonText } from "../view/json-text.ts";
import { styleFor } from "../view/style.ts";
import { plural } from "../view/units.ts";

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

export function register(command: Command): void {
  command
    .description(
      "Shows the logs of specs: lines of ctx.log, and what they and the programs that they started printed, spec by spec; of a run in progress, those so far.",
    )
    .argument("<run>", RUN_NAME)
    .addOption(new Option("--spec <sort_index>", "only this spec").argParser(wholeNumber(0)))
    .option("--failed", "only failed specs")
    .option("--follow", "continue until the run has ended; with --json, a line of JSON for each text")
    .addHelpText("after", EXAMPLES);
  projectOptions(command).action(async (run: string, flags: LogsFlags) => {
    await showLogs(run, flags);
  });
}

export async function showLogs(reference: string, flags: LogsFlags): Promise<void> {
  await withStorage(flags, async (project) => {
    const run = await project.findRun(reference);
    const which = {
      ...(flags.spec === undefined ? {} : { spec: flags.spec }),
      ...(flags.failed === undefined ? {} : { failed: flags.failed }),
    };
    if (!flags.follow) return printLogs(run.experimentId, await run.logs(which), flags);
    const printer = new LogPrinter(flags.json ?? false);
    for await (const logs of run.followLogs(which)) await printer.print(logs);
  });
}

async function printLogs(experimentId: string, logs: RunLogs, flags: LogsFlags): Promise<void> {
  if (flags.json) {
    const specs = logs.specs.map(({ sortIndex, ...rest }) => ({ sort_index: sortIndex, ...rest }));
    return print(`${jsonText({ experiment_id: experimentId, ...logs, specs }, 2)}\n`);
  }
  await new LogPrinter(false).print(logs);
  if (logs.specs.length === 0 && logs.output === "") note(`There are no stored logs of ${whose(flags)}.`);
  if (logs.dropped > 0) {
    note(`The logs of ${plural(logs.dropped, "spec")} were not kept: a chunk keeps about 1 MB, failed specs' first.`);
  }
}

function whose({ spec, failed }: LogsFlags): string {
  if (spec !== undefined) return `spec ${spec}`;
  return failed ? "failed specs" : "the run's specs";
}

/** Prints what is new since it printed last. */
class LogPrinter {
  readonly #json: boolean;
  readonly #printed = new Map<number, SpecLog["lines"]>();
  #output = "";

  constructor(json: boolean) {
    this.#json = json;
  }

  async print({ specs, output }: RunLogs): Promise<void> {
    const fresh = output.startsWith(this.#output) ? output.slice(this.#output.length) : output;
    this.#output = output;
    let text = fresh === "" ? "" : this.#text(null, "stdout", fresh);
    for (const { sortIndex, lines } of specs) {
      const before = this.#printed.get(sortIndex) ?? [];
      for (const line of newLines(before, lines)) text += this.#text(sortIndex, line.source, line.text);
      this.#printed.set(sortIndex, lines);
    }
    if (text) await print(text);
  }

  #text(sortIndex: number | null, source: string, text: string): string {
    if (this.#json) return `${JSON.stringify({ sort_index: sortIndex, source, text })}\n`;
    const style = styleFor(process.stdout);
    const who = style.dim(sortIndex === null ? "–" : `spec ${sortIndex}`);
    const lines = text.replace(/\n$/, "").split("\n").map(oneLine);
    return lines.map((line) => `${who}  ${source === "stderr" ? style.yellow(line) : line}\n`).join("");
  }
}

/** The last text may have grown; when the beginning was cut off, or the spec started again, all is new. */
function newLines(before: SpecLog["lines"], now: SpecLog["lines"]): SpecLog["lines"] {
  const same = before.every(({ source, text }, i) => now[i]?.source === source && now[i].text.startsWith(text));
  if (!same) return now;
  return now.flatMap(({ source, text }, i) => {
    const rest = text.slice(before[i]?.text.length ?? 0);
    return rest === "" && i < before.length ? [] : [{ source, text: rest }];
  });
}
