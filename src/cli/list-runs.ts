import pMap from "p-map";
import { isScytheError, messageOf, ScytheError } from "../errors.ts";
import { didYouMean } from "../known-keys.ts";
import type { Scythe } from "../project.ts";
import { RunLayout } from "../run/layout.ts";
import { SAFE_NAME } from "../schema/base.ts";
import { jsonText } from "./json-text.ts";
import type { ListFlags } from "./list.ts";
import { withStorage } from "./open-project.ts";
import { note, outputWidth, print } from "./output.ts";
import { paintStatus, type RunOverview, readRunFiles } from "./run-overview.ts";
import { styleFor } from "./style.ts";
import { type TextColumn, tableText } from "./table-text.ts";
import { countText, durationText } from "./units.ts";

/** Objects read at the same time. */
const AT_ONCE = 16;

interface ExperimentEntry {
  name: string;
  /** In the config; false for a run name, or for an experiment that only storage knows. */
  defined: boolean;
  description: string;
  versions: string[];
  runs: number;
  latest: ListedRun | null;
}

interface ListedRun extends Omit<RunOverview, "status"> {
  status: RunOverview["status"] | "damaged";
  /** What is wrong with a damaged one. */
  problem: string | null;
}

export async function listExperiments(flags: ListFlags): Promise<void> {
  await withStorage(flags, async (project) => {
    const stored = (await project.listNames()).filter((name) => SAFE_NAME.test(name)); // a bucket may hold other things
    const names = [...new Set([...project.registry.names, ...stored])].sort();
    const entries = await pMap(names, (name) => entryOf(project, name), { concurrency: AT_ONCE });
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

export async function listRuns(name: string, flags: ListFlags): Promise<void> {
  await withStorage(flags, async (project) => {
    const ids = (await project.experiment(name).listRuns()).reverse();
    if (ids.length === 0) await assertKnown(project, name);
    const shown = flags.limit ? ids.slice(0, flags.limit) : ids;
    const runs = await pMap(shown, (id) => overview(project, id), { concurrency: AT_ONCE });
    if (flags.json) return print(`${jsonText({ experiment: name, total: ids.length, runs }, 2)}\n`);
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
    if (shown.length < ids.length) note(`${countText(ids.length - shown.length)} older runs are not shown.`);
  });
}

async function entryOf(project: Scythe, name: string): Promise<ExperimentEntry> {
  const catalog = project.experiment(name);
  const versions = await catalog.listVersions();
  const runs = await catalog.listRuns();
  const latest = runs.at(-1);
  return {
    name,
    defined: project.registry.find(name) !== undefined,
    description: project.registry.find(name)?.description ?? "",
    versions,
    runs: runs.length,
    latest: latest === undefined ? null : await overview(project, latest),
  };
}

/** One damaged run hides no other. */
async function overview(project: Scythe, id: string): Promise<ListedRun> {
  const layout = RunLayout.parse(id)!;
  try {
    return { ...(await readRunFiles(project.storage, layout)).overview, problem: null };
  } catch (error) {
    if (!isScytheError(error) || error.code !== "storage" || !/damaged|manifest/.test(error.message)) throw error;
    return damaged(layout, messageOf(error));
  }
}

function damaged({ experimentId, id }: RunLayout, problem: string): ListedRun {
  const unknown = { allocated: null, succeeded: null, failed: null, seconds: null };
  const { version, timestamp } = id;
  return { experiment_id: experimentId, version, timestamp, status: "damaged", ...unknown, problem };
}

/** Says what is wrong with damaged runs, beside the table. */
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

/** @throws ScytheError `not_found` for a name that neither the config nor storage has */
export async function assertKnown(project: Scythe, name: string): Promise<void> {
  const known = [...new Set([...project.registry.names, ...(await project.listNames())])].sort();
  if (known.includes(name)) return;
  throw new ScytheError("not_found", `No experiment or run named ${JSON.stringify(name)}${didYouMean(name, known)}`, {
    hint:
      known.length > 0 ? `There are: ${known.join(", ")}` : "The config names no experiments, and storage is empty.",
    details: { name, known },
  });
}
