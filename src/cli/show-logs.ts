import { LogReader, type RunLogs, type SpecLog } from "../runs/run-logs.ts";
import { oneLine } from "./cell-text.ts";
import { jsonText } from "./json-text.ts";
import type { LogsFlags } from "./logs.ts";
import { withStorage } from "./open-project.ts";
import { note, print } from "./output.ts";
import { styleFor } from "./style.ts";
import { plural } from "./units.ts";

const LOOK_MS = 1_000;

export async function showLogs(reference: string, flags: LogsFlags): Promise<void> {
  await withStorage(flags, async (project) => {
    const run = await project.findRun(reference);
    const reader = new LogReader(project.storage, run.layout);
    if (!flags.follow) return tell(run.experimentId, await reader.read(flags), flags);
    const printer = new LogPrinter(flags.json ?? false);
    for await (const _ of run.progress({ intervalMs: LOOK_MS })) await printer.print(await reader.read(flags));
    await printer.print(await reader.read(flags)); // what was stored between the last look and the end
  });
}

async function tell(experimentId: string, logs: RunLogs, flags: LogsFlags): Promise<void> {
  if (flags.json) {
    const specs = logs.specs.map(({ sortIndex, ...rest }) => ({ sort_index: sortIndex, ...rest }));
    return print(`${jsonText({ experiment_id: experimentId, ...logs, specs }, 2)}\n`);
  }
  await new LogPrinter(false).print(logs);
  if (logs.specs.length === 0 && logs.output === "") note(`${whose(flags)} said nothing that is stored.`);
  if (logs.dropped > 0) {
    note(`The logs of ${plural(logs.dropped, "spec")} were not kept: a chunk keeps about 1 MB, failed specs' first.`);
  }
}

function whose({ spec, failed }: LogsFlags): string {
  if (spec !== undefined) return `Spec ${spec}`;
  return failed ? "Failed specs" : "The run's specs";
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

/** The last text before may have grown; where the beginning was cut off, or the spec began anew, all is new. */
function newLines(before: SpecLog["lines"], now: SpecLog["lines"]): SpecLog["lines"] {
  const same = before.every(({ source, text }, i) => now[i]?.source === source && now[i].text.startsWith(text));
  if (!same) return now;
  return now.flatMap(({ source, text }, i) => {
    const rest = text.slice(before[i]?.text.length ?? 0);
    return rest === "" && i < before.length ? [] : [{ source, text: rest }];
  });
}
