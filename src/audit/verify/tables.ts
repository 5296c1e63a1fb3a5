import { specRunIdSql } from "../../run/spec-run-id.ts";
import { columnTypes } from "../../table/describe.ts";
import type { Duck, SqlRow } from "../../table/duckdb.ts";
import { parquetRows } from "../../table/parquet-sql.ts";
import { identifier, literal } from "../../table/sql.ts";
import type { Findings } from "./certificate.ts";
import type { Subject } from "./subject.ts";

/** Finished tables that can be read, `specs` among them: name → file on this machine. */
export interface Tables {
  duck: Duck;
  paths: ReadonlyMap<string, string>;
}

const SHOWN = 5;
const INTERNAL = new Set(["specs", "scalars", "errors", "result_file_refs"]);

/** Counts reconcile, every spec has its row once, and what other tables say is of specs that succeeded. */
export async function verifyTables(subject: Subject, tables: Tables): Promise<void> {
  const facts = await factsOf(subject, tables);
  checkCounts(subject, facts);
  await checkOnce(subject, tables, facts);
  await checkInputs(subject, tables);
  for (const name of tables.paths.keys()) {
    if (!INTERNAL.has(name)) await checkUserTable(subject, tables, name);
  }
}

interface Facts {
  rows: number;
  /** Of the specs: different values of `sort_index`. */
  specs: number;
  /** Sum of the hashes of all `sort_index`: equal for equal sets. */
  print: bigint;
}

async function factsOf(subject: Subject, { duck, paths }: Tables): Promise<Map<string, Facts>> {
  const { findings } = subject;
  const facts = new Map<string, Facts>();
  for (const [name, path] of paths) {
    const file = fileOf(name);
    const strangers = strangersSql(subject, name);
    const row = await findings.attempt("tables", file, async () => {
      const [first] = await duck.rows(
        `SELECT count(*) AS n, ${name === "specs" ? "count(DISTINCT sort_index)" : "0"} AS specs, CAST(coalesce(sum(hash(sort_index)), 0) AS VARCHAR) AS h,
         ${strangers} AS strangers FROM ${parquetRows(path)}`,
      );
      return first;
    });
    if (!row) continue;
    facts.set(name, { rows: Number(row.n), specs: Number(row.specs), print: BigInt(row.h as string) });
    if (Number(row.strangers) > 0) {
      findings.bad("tables", file, `has ${row.strangers} rows whose ids are not those of this run and spec`);
    }
  }
  return facts;
}

/** An extended run keeps the ids of the rows that it took over. */
function strangersSql({ layout: { experimentId }, manifest, foreign }: Subject, name: string): string {
  if (foreign || !manifest || (manifest.scythe?.carried_count ?? 0) > 0) return "0";
  const { workflow_run_id } = manifest;
  const wrong = [
    `experiment_id IS DISTINCT FROM ${literal(experimentId)}`,
    `root_workflow_run_id IS DISTINCT FROM ${literal(workflow_run_id)}`,
    // slow to compute, and other tables have it from the same rows
    ...(["scalars", "errors"].includes(name)
      ? [`workflow_run_id IS DISTINCT FROM ${specRunIdSql(workflow_run_id)}`]
      : []),
  ];
  return `count(*) FILTER (WHERE ${wrong.join(" OR ")})`;
}

function checkCounts({ findings, report, manifest, foreign }: Subject, facts: ReadonlyMap<string, Facts>): void {
  const specs = facts.get("specs")?.rows;
  const compare = (file: string, what: string, is: number | undefined, should: number | undefined) => {
    if (is === undefined || should === undefined || is === should) return;
    findings.bad("counts", file, `${what}: ${is}, not ${should}`);
  };
  const allocated = manifest?.scythe?.spec_count ?? report?.allocated;
  compare("specs.pq", "rows", specs, allocated);
  if (!report) {
    if (facts.has("scalars")) findings.say("counts", `${specs ?? "unknown"} specs, ${facts.get("scalars")!.rows} rows`);
    if (foreign) findings.unchecked("counts", "whether other specs failed or were never run is not recorded");
    return;
  }
  const { succeeded, failed, missing } = report;
  compare("report.yml", "allocated", report.allocated, allocated);
  compare("report.yml", "succeeded + failed + missing", succeeded + failed + missing, report.allocated);
  compare("final/scalars.pq", "rows", facts.get("scalars")?.rows, succeeded);
  compare("final/errors.pq", "rows", facts.get("errors")?.rows, failed);
  for (const [name, { rows }] of Object.entries(report.final)) {
    compare(fileOf(name), "rows", facts.get(name)?.rows, rows);
  }
  findings.say(
    "counts",
    `${succeeded} succeeded + ${failed} failed + ${missing} missing = ${report.allocated} allocated`,
  );
}

/** Every `sort_index` once over scalars and errors; the file references are those of the good rows. */
async function checkOnce(
  { findings, foreign, report }: Subject,
  tables: Tables,
  facts: ReadonlyMap<string, Facts>,
): Promise<void> {
  const [specs, scalars] = [facts.get("specs"), facts.get("scalars")];
  const errors = facts.get("errors") ?? (foreign ? { rows: 0, specs: 0, print: 0n } : undefined);
  if (specs && specs.specs !== specs.rows) findings.bad("tables", "specs.pq", "has a sort_index more than once");
  if (!specs || !scalars || !errors) {
    findings.unchecked("tables", "that every spec has its row once, as specs, scalars or errors cannot be read");
    return;
  }
  const refs = facts.get("result_file_refs");
  if (refs && (refs.rows !== scalars.rows || refs.print !== scalars.print)) {
    findings.bad("tables", "final/result_file_refs.pq", "has not the same specs as scalars.pq");
  }
  const once = scalars.rows + errors.rows === specs.rows && scalars.print + errors.print === specs.print;
  const problems = once ? [] : await whichAreWrong(tables, foreign || (report?.missing ?? 0) > 0);
  for (const problem of problems) findings.bad("tables", "final/scalars.pq", problem);
  if (problems.length === 0) findings.say("tables", `each of ${specs.rows} specs once in scalars or errors`);
}

async function whichAreWrong({ duck, paths }: Tables, mayMiss: boolean): Promise<string[]> {
  const from = (name: string) => `SELECT sort_index FROM ${parquetRows(paths.get(name)!)}`;
  const rows = ["scalars", "errors"].filter((name) => paths.has(name)).map(from);
  const counted = `SELECT sort_index, count(*) AS n FROM (${rows.join(" UNION ALL ")}) GROUP BY sort_index`;
  const joined = `(${counted}) r FULL JOIN (${from("specs")}) s USING (sort_index)`;
  const kinds = [
    ["n > 1", "more than once over scalars and errors"],
    ["s.sort_index IS NULL", "of no spec"],
    ...(mayMiss ? [] : [["n IS NULL", "in neither scalars nor errors"]]),
  ] as [string, string][];
  const problems: string[] = [];
  for (const [where, what] of kinds) {
    const found = await duck.rows(
      `SELECT coalesce(r.sort_index, s.sort_index) AS i, count(*) OVER () AS total FROM ${joined} WHERE ${where}
       ORDER BY i LIMIT ${SHOWN}`,
    );
    if (found.length > 0) problems.push(`${indexes(found)} ${what}`);
  }
  return problems;
}

/** The inputs that a row stands for are those of its spec: equal sums of hashes, or it is looked for which differ. */
async function checkInputs({ findings }: Subject, { duck, paths }: Tables): Promise<void> {
  const specs = paths.get("specs");
  const rows = ["scalars", "errors"].filter((name) => paths.has(name));
  if (!specs || rows.length === 0) return;
  await findings.attempt("tables", "specs.pq", async () => {
    const prints = new Map<string, bigint>();
    const shared = await sharedColumns(duck, [specs, ...rows.map((name) => paths.get(name)!)]);
    for (const name of ["specs", ...rows]) {
      const hashes = `hash(${["sort_index", ...shared].join(", ")})`;
      const [row] = await duck.rows(
        `SELECT CAST(coalesce(sum(${hashes}), 0) AS VARCHAR) AS h FROM ${parquetRows(paths.get(name)!)}`,
      );
      prints.set(name, BigInt(row!.h as string));
    }
    const found = rows.reduce((sum, name) => sum + prints.get(name)!, 0n);
    if (found === prints.get("specs") || shared.length === 0) return;
    for (const name of rows) await nameOtherInputs(findings, duck, specs, paths.get(name)!, name, shared);
  });
}

async function nameOtherInputs(
  findings: Findings,
  duck: Duck,
  specs: string,
  path: string,
  name: string,
  shared: readonly string[],
): Promise<void> {
  const differ = shared.map((column) => `s.${column} IS DISTINCT FROM t.${column}`).join(" OR ");
  const found = await duck.rows(
    `SELECT sort_index AS i, count(*) OVER () AS total FROM ${parquetRows(specs)} s
     JOIN ${parquetRows(path)} t USING (sort_index) WHERE ${differ} ORDER BY i LIMIT ${SHOWN}`,
  );
  if (found.length > 0) findings.bad("tables", fileOf(name), `${indexes(found)}: inputs that are not the spec's`);
}

const IDS = new Set(["experiment_id", "sort_index", "workflow_run_id", "root_workflow_run_id"]);

/** Inputs of one type in all: Python Scythe has dates as text in one and not in the other. */
async function sharedColumns(duck: Duck, paths: readonly string[]): Promise<string[]> {
  const described: Map<string, string>[] = [];
  for (const path of paths) described.push(await columnTypes(duck, `FROM ${parquetRows(path)}`)); // it takes one question at a time
  const [first, ...others] = described;
  const isShared = ([name, type]: [string, string]) =>
    !IDS.has(name) && others.every((columns) => columns.get(name) === type);
  return [...first!].filter(isShared).map(([name]) => identifier(name));
}

async function checkUserTable({ findings }: Subject, { duck, paths }: Tables, name: string): Promise<void> {
  const scalars = paths.get("scalars");
  const file = fileOf(name);
  if (!scalars) return;
  await findings.attempt("tables", file, async () => {
    const columns = await columnTypes(duck, `FROM ${parquetRows(paths.get(name)!)}`);
    const gap = columns.has("sort_subindex") ? "n <> top + 1 OR n <> lines" : "false";
    const lines = columns.has("sort_subindex")
      ? "max(sort_subindex) AS top, count(DISTINCT sort_subindex) AS lines"
      : "0 AS top, 0 AS lines";
    const groups = `SELECT sort_index, count(*) AS n, ${lines} FROM ${parquetRows(paths.get(name)!)} GROUP BY sort_index`;
    const joined = `(${groups}) g LEFT JOIN (SELECT DISTINCT sort_index AS good FROM ${parquetRows(scalars)}) ON good = sort_index`;
    for (const [where, what] of [
      ["good IS NULL", "rows of specs that did not succeed"],
      [gap, "rows are missing or there twice (sort_subindex)"],
    ]) {
      const found = await duck.rows(
        `SELECT sort_index AS i, count(*) OVER () AS total FROM ${joined} WHERE ${where} ORDER BY i LIMIT ${SHOWN}`,
      );
      if (found.length > 0) findings.bad("tables", file, `${indexes(found)}: ${what}`);
    }
    findings.say("tables", `every row of ${name} is of a spec that succeeded`);
  });
}

export function fileOf(table: string): string {
  return table === "specs" ? "specs.pq" : `final/${table}.pq`;
}

function indexes(found: readonly SqlRow[]): string {
  const total = Number(found[0]!.total);
  const more = total > found.length ? ` and ${total - found.length} more` : "";
  return `sort_index ${found.map(({ i }) => String(i)).join(", ")}${more}`;
}
