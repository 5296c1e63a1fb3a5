import type { Command } from "commander";
import type { ListedRun } from "../../index.ts";
import { withStorage } from "../open-project.ts";
import { limitOption, type ProjectFlags, projectOptions } from "../options.ts";
import { note, outputWidth, print } from "../output.ts";
import { jsonText } from "../view/json-text.ts";
import { paintStatus } from "../view/status.ts";
import { styleFor } from "../view/style.ts";
import { type TextColumn, tableText } from "../view/table-text.ts";
import { countText, durationText } from "../view/units.ts";

interface ListFlags extends ProjectFlags {
  limit?: number;
}

const EXAMPLES = `
Examples:
  scythe list
  scythe list projectile --limit 5
  scythe list --storage s3://my-bucket/scythe`;

export function register(command: Command): void {
  command
    .description("Lists the experiments of the project and of its storage; with a name, its runs, newest first.")
    .argument("[experiment]", "an experiment or run name")
    .addOption(limitOption("newest runs that are listed").default(0, "all"))
    .addHelpText("after", EXAMPLES);
  projectOptions(command).action(async (experiment: string | undefined, flags: ListFlags) => {
    await (experiment === undefined ? listExperiments(flags) : listRuns(experiment, flags));
  });
}

async function listExperiments(flags: ListFlags): Promise<void> {
  await withStorage(flags, async (project) => {
    const entries = await project.listExperiments();
    if (flags.json) return print(`${jsonText({ storage: project.storage.uri, experiments: entries }, 2)}\n`);
    if (entries.length === 0) return note(`There is nothing in ${project.storage.uri} yet.`);
    const style = styleFor(process.stdout);
    const columns: TextColumn[] = [
      { name: "experiment", paint: style.bold },
      { name: "versions", align: "right" },
      { name: "runs", align: "right" },
      { name: "latest run" },
      ...statusColumns(entries.map(({ latest }) => latest)),
    ];
    const rows = entries.map(({ name, versions, runs, latest }) => [
      name,
      countText(versions.length),
      countText(runs),
      latest ? `${latest.version}/${latest.timestamp}` : "–",
      ...statusCells(latest),
    ]);
    await print(`${tableText(columns, rows, { width: outputWidth(), header: style.dim }).text}\n`);
    noteDamaged(entries.map(({ latest }) => latest));
  });
}

async function listRuns(name: string, flags: ListFlags): Promise<void> {
  await withStorage(flags, async (project) => {
    const { total, runs } = await project.listRuns(name, { limit: flags.limit ?? 0 });
    if (flags.json) return print(`${jsonText({ experiment: name, total, runs }, 2)}\n`);
    if (runs.length === 0) return note(`${name} has no runs yet. Make one: scythe run ${name}`);
    const style = styleFor(process.stdout);
    const columns: TextColumn[] = [{ name: "run" }, ...statusColumns(runs), { name: "took", align: "right" }];
    const rows = runs.map((run) => [
      run.experiment_id,
      ...statusCells(run),
      run.seconds === null ? "–" : durationText(run.seconds),
    ]);
    await print(`${tableText(columns, rows, { width: outputWidth(), header: style.dim }).text}\n`);
    noteDamaged(runs);
    if (runs.length < total) note(`${countText(total - runs.length)} older runs are not shown.`);
  });
}

/** Prints to stderr what is wrong with damaged runs. */
function noteDamaged(runs: readonly (ListedRun | null)[]): void {
  for (const run of runs) if (run?.problem) note(`${run.experiment_id} is damaged: ${run.problem}`);
}

function statusColumns(runs: readonly (ListedRun | null)[]): TextColumn[] {
  const style = styleFor(process.stdout);
  const paint = (text: string, row: number) => {
    const run = runs[row];
    if (run?.status === "damaged") return style.red(text);
    return run ? paintStatus(style, { ...run, status: run.status }, text) : style.dim(text);
  };
  return [
    { name: "status", paint },
    { name: "specs", align: "right" },
    { name: "failed", align: "right", paint: (text, row) => ((runs[row]?.failed ?? 0) > 0 ? style.red(text) : text) },
  ];
}

function statusCells(run: ListedRun | null): string[] {
  return [run?.status ?? "–", numberCell(run?.allocated), numberCell(run?.failed)];
}

function numberCell(value: number | null | undefined): string {
  return value === null || value === undefined ? "–" : countText(value);
}
