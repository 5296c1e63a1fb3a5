import type { Command } from "commander";
import { bytesText } from "../../bytes-text.ts";
import type { Garbage } from "../../index.ts";
import { withStorage } from "../open-project.ts";
import { type ProjectFlags, projectOptions } from "../options.ts";
import { note, outputWidth, print } from "../output.ts";
import { jsonText } from "../view/json-text.ts";
import { styleFor } from "../view/style.ts";
import { tableText } from "../view/table-text.ts";
import { countText, plural } from "../view/units.ts";

export interface GcFlags extends ProjectFlags {
  delete?: boolean;
}

const EXAMPLES = `
Examples:
  scythe gc
  scythe gc projectile --delete`;

export function register(command: Command): void {
  command
    .description(
      "Lists, and with --delete removes, scatter-gather/ of complete runs: plans, parts and logs that made their tables; logs of failed specs are kept. Other files, and runs that are not complete, are never touched.",
    )
    .argument("[experiment]", "an experiment or run name (default: all)")
    .option("--delete", "remove it, instead of listing what would be removed")
    .addHelpText("after", EXAMPLES);
  projectOptions(command).action(async (experiment: string | undefined, flags: GcFlags) => {
    await removeGarbage(experiment, flags);
  });
}

export async function removeGarbage(name: string | undefined, flags: GcFlags): Promise<void> {
  await withStorage(flags, async (project) => {
    const remove = flags.delete ?? false;
    const all = await project.transfer.collectGarbage({ remove, ...(name === undefined ? {} : { name }) });
    const garbage = all.filter(({ files }) => files > 0);
    const sum = (of: (run: Garbage) => number) => garbage.reduce((total, run) => total + of(run), 0);
    const [files, bytes] = [sum((run) => run.files), sum((run) => run.bytes)];
    const count = (kind: Garbage["run"]) => all.filter(({ run }) => run === kind).length;
    const [incomplete, foreign] = [count("incomplete"), count("foreign")];
    if (flags.json) {
      const runs = garbage.map((run) => ({ experiment_id: run.experimentId, files: run.files, bytes: run.bytes }));
      return print(`${jsonText({ deleted: remove, runs, files, bytes, incomplete, foreign }, 2)}\n`);
    }
    if (garbage.length > 0) await print(`${garbageTable(garbage)}\n`);
    note(verdict(garbage.length, files, bytes, remove));
    const kept = [
      incomplete > 0 && plural(incomplete, "incomplete run"),
      foreign > 0 && `${plural(foreign, "run")} of Python Scythe`,
    ];
    const named = kept.filter(Boolean).join(" and ");
    if (named)
      note(
        `${named} ${incomplete + foreign === 1 ? "is" : "are"} left as ${incomplete + foreign === 1 ? "it is" : "they are"}.`,
      );
    if (garbage.length > 0 && !remove) {
      note(`Nothing was removed yet. Remove it: scythe gc${name === undefined ? "" : ` ${name}`} --delete`);
    }
  });
}

function garbageTable(garbage: readonly Garbage[]): string {
  const rows = garbage.map(({ experimentId, files, bytes }) => [experimentId, countText(files), bytesText(bytes)]);
  const columns = [
    { name: "run" },
    { name: "files", align: "right" as const },
    { name: "size", align: "right" as const },
  ];
  return tableText(columns, rows, { width: outputWidth(), header: styleFor(process.stdout).dim }).text;
}

function verdict(runs: number, files: number, bytes: number, removed: boolean): string {
  if (runs === 0) return "There is nothing to remove.";
  const what = `${plural(files, "file")} of ${plural(runs, "run")}, ${bytesText(bytes)}`;
  return removed ? `${styleFor(process.stderr).green("✓")} removed ${what}` : `Dry run: ${what} can be removed.`;
}
