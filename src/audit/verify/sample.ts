import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { AnyExperiment } from "../../experiment/define.ts";
import { KnownContents } from "../../files/content-mark.ts";
import type { Environment } from "../../run/environment.ts";
import { randomFrom } from "../../sampling/random.ts";
import { errorNamesAmong } from "../../scatter/final-columns.ts";
import { RunFindings } from "../../scatter/run-task.ts";
import type { Column } from "../../schema/columns.ts";
import { columnTypes } from "../../table/describe.ts";
import type { Duck } from "../../table/duckdb.ts";
import { parquetRows } from "../../table/parquet-sql.ts";
import { identifier, literal } from "../../table/sql.ts";
import { runInputs } from "../../worker/task/run-inputs.ts";
import { whyDifferent } from "../code-change.ts";
import { pathInRun } from "../file-listing.ts";
import type { SampleOutcome } from "./certificate.ts";
import { compareRerun } from "./compare-rerun.ts";
import { type Rerunner, rerunSpecs } from "./rerun.ts";
import type { Subject } from "./subject.ts";
import type { Tables } from "./tables.ts";

/** Failures that come again whenever the spec does; a death or a timeout depends on the machine. */
const REPEATABLE = ["error", "invalid_output"];

export interface SampleRequest {
  size: number;
  seed: number;
  experiment: AnyExperiment;
  rerunner: Rerunner;
  now: Environment;
}

/** Runs some specs again from what the run stored, and compares all that they give with what it holds. */
export async function verifySample(subject: Subject, tables: Tables, request: SampleRequest): Promise<SampleOutcome> {
  const { findings, layout } = subject;
  const { size, seed, experiment, now } = request;
  const manifest = subject.manifest!;
  const chosen = await drawSample(tables, size, seed);
  const folder = join(subject.scratch, "sample");
  await mkdir(folder, { recursive: true });
  const specs = join(folder, "specs.pq");
  await extractSpecs(subject, tables, experiment, chosen, specs);
  const { sort_indexes, unfit } = await withoutDamagedInputs(subject, tables, specs, experiment);
  if (unfit > 0) findings.unchecked("sample", `${unfit} specs were not run again: their input files are damaged`);
  const run = {
    layout,
    manifest,
    details: manifest.scythe!,
    generation: 0,
    retry: undefined,
    specs: layout.specs,
    count: sort_indexes.length,
    findings: new RunFindings(),
  };
  const fetchUri = checkedFetch(subject, request.rerunner.fetchUri);
  const rerunner = { ...request.rerunner, fetchUri, inputs: runInputs(subject.storage, layout) };
  const again = await rerunSpecs(rerunner, experiment, run, specs, sort_indexes.length, folder);
  const differences = await compareRerun({ subject, tables, experiment, folder, sort_indexes }, again);
  const different = new Set(differences.map((difference) => difference.sort_index)).size;
  const because = different > 0 ? whyDifferent(manifest.scythe!.environment, now) : null;
  for (const { sort_index, table, column, stored, again } of differences.slice(0, 20)) {
    const where = table === "scalars" ? column : `${table}.${column}`;
    findings.bad("sample", null, `spec ${sort_index}, ${where}: stored ${stored}, now ${again}`);
  }
  if (because) findings.bad("sample", null, because);
  const same = sort_indexes.length - different;
  findings.say("sample", `${same} of ${sort_indexes.length} specs gave the same again (--sample-seed ${seed})`);
  return { asked: size, seed, sort_indexes, same, different, differences, because };
}

/** Of the specs that succeeded, or failed in a way that comes again. */
async function drawSample({ duck, paths }: Tables, size: number, seed: number): Promise<number[]> {
  const errors = paths.get("errors");
  const failed = errors
    ? `UNION ALL SELECT sort_index FROM ${parquetRows(errors)} WHERE ${await kindColumn(duck, errors)} IN ('${REPEATABLE.join("', '")}')`
    : "";
  const eligible = `SELECT sort_index FROM ${parquetRows(paths.get("scalars")!)} ${failed}`;
  const [counted] = await duck.rows(`SELECT count(*) AS n FROM (${eligible})`);
  const places = drawPlaces(Number(counted!.n), size, seed);
  if (places.length === 0) return [];
  const rows = await duck.rows(
    `SELECT sort_index FROM (SELECT sort_index, row_number() OVER (ORDER BY sort_index) - 1 AS place FROM (${eligible}))
     WHERE place IN (${places.join(", ")}) ORDER BY sort_index`,
  );
  return rows.map((row) => Number(row.sort_index));
}

async function kindColumn(duck: Duck, errors: string): Promise<string> {
  const columns = await columnTypes(duck, `SELECT * FROM ${parquetRows(errors)}`);
  return identifier(errorNamesAmong([...columns.keys()]).kind);
}

/** `size` different numbers below `count` (Floyd's algorithm), lowest first. */
export function drawPlaces(count: number, size: number, seed: number): number[] {
  const random = randomFrom(seed, 0);
  const drawn = new Set<number>();
  for (let top = Math.max(0, count - size); top < count; top++) {
    const place = random.integer(0, top);
    drawn.add(drawn.has(place) ? top : place);
  }
  return [...drawn].sort((a, b) => a - b);
}

/** The chosen specs as a file of their own, whose references lead to where the run's files lie now. */
async function extractSpecs(
  { storage, layout }: Subject,
  { duck, paths }: Tables,
  experiment: AnyExperiment,
  chosen: readonly number[],
  target: string,
): Promise<void> {
  const here = literal(`${storage.uriOf(layout.experimentId)}/`);
  const moved = (uri: string) => `coalesce(${here} || ${pathInRun(layout, uri)}, ${uri})`;
  const files = (experiment.columns.input as Column[]).filter((column) => column.file);
  const replaced = files.map((column) => {
    const name = identifier(column.name);
    return column.type.kind === "list"
      ? `list_transform(${name}, lambda x: ${moved("x")}) AS ${name}`
      : `${moved(name)} AS ${name}`;
  });
  const select = replaced.length > 0 ? `* REPLACE (${replaced.join(", ")})` : "*";
  const where = chosen.length > 0 ? `sort_index IN (${chosen.join(", ")})` : "false";
  await duck.run(
    `COPY (SELECT ${select} FROM ${parquetRows(paths.get("specs")!)} WHERE ${where} ORDER BY sort_index)
     TO ${literal(target)} (FORMAT parquet)`,
    "Could not draw a sample",
  );
}

/** Leaves out of the file what cannot give the same again, whatever the function does. */
async function withoutDamagedInputs(
  { layout, findings, artifacts }: Subject,
  { duck }: Tables,
  specs: string,
  experiment: AnyExperiment,
): Promise<{ sort_indexes: number[]; unfit: number }> {
  const bad = findings.problems.flatMap(({ file }) => (file !== null && artifacts.has(file) ? [file] : []));
  const files = (experiment.columns.input as Column[]).filter((column) => column.file);
  const names = files.map((column) => identifier(column.name));
  const rows = await duck.rows(`SELECT ${["sort_index", ...names].join(", ")} FROM ${parquetRows(specs)}`);
  const isFit = (row: Record<string, unknown>) =>
    !files.flatMap(({ name }) => row[name] ?? []).some((uri) => bad.includes(layout.pathOf(String(uri)) ?? ""));
  const fit = rows.filter(isFit).map((row) => Number(row.sort_index));
  if (fit.length === rows.length) return { sort_indexes: fit, unfit: 0 };
  await duck.run(`CREATE TABLE fit_specs AS SELECT * FROM ${parquetRows(specs)}`, "Could not draw a sample");
  const where = fit.length > 0 ? `sort_index IN (${fit.join(", ")})` : "false";
  await duck.run(
    `COPY (SELECT * FROM fit_specs WHERE ${where} ORDER BY sort_index) TO ${literal(specs)} (FORMAT parquet)`,
    "Could not draw a sample",
  );
  return { sort_indexes: fit, unfit: rows.length - fit.length };
}

/** An input file that comes by way of a cache or a network is the run's, or it is not used. */
function checkedFetch({ layout, artifacts }: Subject, fetchUri: Rerunner["fetchUri"]) {
  const contents = new KnownContents();
  return async (uri: string): Promise<string> => {
    const path = await fetchUri(uri);
    const recorded = artifacts.get(layout.pathOf(uri) ?? "");
    if (recorded !== undefined) await contents.assert(path, recorded, uri);
    return path;
  };
}
