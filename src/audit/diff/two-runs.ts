import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { ScytheError } from "../../errors.ts";
import { finalKeys } from "../../results/table-files.ts";
import { readInputArtifacts } from "../../run/input-artifacts.ts";
import type { RunLayout } from "../../run/layout.ts";
import { errorNamesAmong } from "../../scatter/final-columns.ts";
import { ID_COLUMNS } from "../../schema/base.ts";
import { localCopy } from "../../storage/local-copy.ts";
import type { Storage } from "../../storage/storage.ts";
import { columnTypes } from "../../table/describe.ts";
import type { Duck } from "../../table/duckdb.ts";
import { parquetRows } from "../../table/parquet-sql.ts";
import { identifier } from "../../table/sql.ts";
import { writeListing } from "../file-listing.ts";
import { NUMBER, type OpenTables, view } from "./columns.ts";

/** Where a run lies. */
export interface RunPlace {
  storage: Storage;
  layout: RunLayout;
}

/** One of the two runs, opened. Its table `specs` has contents in place of references to input files. */
export interface Side extends OpenTables {
  place: RunPlace;
  duck: Duck;
}

/** Opens both runs. @throws ScytheError `not_found` when one has no results */
export async function openSides(duck: Duck, a: RunPlace, b: RunPlace, scratch: string): Promise<[Side, Side]> {
  return [await openSide(duck, "a", a, join(scratch, "a")), await openSide(duck, "b", b, join(scratch, "b"))];
}

async function openSide(duck: Duck, name: "a" | "b", place: RunPlace, folder: string): Promise<Side> {
  const { storage, layout } = place;
  await mkdir(folder, { recursive: true });
  const keys = await finalKeys(storage, layout);
  if (!keys.has("scalars")) {
    throw new ScytheError("not_found", `Run ${layout.experimentId} has no results to compare`, {
      hint: "Only complete runs can be compared: `scythe show` says how far it is.",
    });
  }
  const tables = new Map<string, Map<string, string>>();
  for (const [table, key] of [...keys, ["specs", layout.specs] as const]) {
    const path = await localCopy(storage, key, folder);
    const columns = await columnTypes(duck, `FROM ${parquetRows(path)}`);
    const from = table === "specs" ? await specsSql(place, name, path, columns, folder) : parquetRows(path);
    await duck.run(`CREATE VIEW ${view({ name }, table)} AS FROM ${from}`, `Could not open ${table} of run ${name}`);
    tables.set(table, columns);
  }
  return { name, place, duck, tables };
}

/** Specs whose input files are known by their content: the same file lies at another place in another run. */
async function specsSql(
  { storage, layout }: RunPlace,
  name: string,
  path: string,
  columns: ReadonlyMap<string, string>,
  folder: string,
): Promise<string> {
  const inputs = (await readInputArtifacts(storage, layout)).filter(({ sha256 }) => sha256 !== undefined);
  const fields = new Set(inputs.map((input) => input.path?.split("/")[1]));
  const files = [...columns].filter(([column]) => fields.has(column));
  if (files.length === 0) return parquetRows(path);
  const contents = inputs.map(({ uri, sha256 }) => ({ uri, content: `sha256:${sha256}` }));
  const known = await writeListing(join(folder, "contents.pq"), { uri: "string", content: "string" }, contents);
  const joins: string[] = [];
  const replaced = files.map(([column, type], i) => {
    const own = identifier(column);
    if (type === "VARCHAR[]") {
      const map = `(SELECT map_from_entries(list((uri, content))) FROM ${known})`;
      return `list_transform(s.${own}, lambda x: coalesce(${map}[x], x)) AS ${own}`;
    }
    joins.push(`LEFT JOIN ${known} f${name}${i} ON f${name}${i}.uri = s.${own}`);
    return `coalesce(f${name}${i}.content, s.${own}) AS ${own}`;
  });
  return `(SELECT s.* REPLACE (${replaced.join(", ")}) FROM ${parquetRows(path)} s ${joins.join(" ")})`;
}

/** How many specs the two runs have, and have in common. */
export interface SpecsDiff {
  a: number;
  b: number;
  matched: number;
  only_a: number;
  only_b: number;
  /** `sort_index` of the first that the other has not. */
  examples_only_a: number[];
  examples_only_b: number[];
}

/** Which of the matched specs succeeded and failed. */
export interface OutcomesDiff {
  both_succeeded: number;
  both_failed: number;
  failed_in_a_only: number;
  failed_in_b_only: number;
  /** Failed in both, otherwise. */
  kind_changed: number;
  /** Null stands for success. */
  examples: { sort_index_a: number; sort_index_b: number; a: string | null; b: string | null }[];
}

const SHOWN = 5;

/**
 * Finds the specs of one run in the other: makes the table `pairs` of `ia` and `ib`, either of them null for a spec that
 * the other has not. Specs with the same inputs are matched in their order.
 */
export async function matchSpecs(a: Side, b: Side, by: "inputs" | "sort_index"): Promise<SpecsDiff> {
  const { duck } = a;
  const keys = by === "inputs" ? inputKeys(a, b) : undefined;
  for (const side of [a, b]) {
    const key = keys ? `hash(${keys.join(", ")})` : "sort_index";
    const from = `SELECT sort_index, ${key} AS key FROM ${view(side, "specs")}`;
    await duck.run(`CREATE TABLE found_${side.name} AS ${from}`, "Could not read the specs");
    const [counted] = await duck.rows(`SELECT count(*) = count(DISTINCT key) AS apart FROM found_${side.name}`);
    const nth = counted!.apart ? "1" : "row_number() OVER (PARTITION BY key ORDER BY sort_index)";
    await duck.run(
      `CREATE VIEW keys_${side.name} AS SELECT sort_index, key, ${nth} AS nth FROM found_${side.name}`,
      "Could not read the specs",
    );
  }
  await duck.run(
    `CREATE TABLE pairs AS SELECT a.sort_index AS ia, b.sort_index AS ib
     FROM keys_a a FULL JOIN keys_b b ON a.key = b.key AND a.nth = b.nth`,
    "Could not match the specs",
  );
  const [counts] = await duck.rows(
    `SELECT count(ia) AS a, count(ib) AS b, count(*) FILTER (WHERE ia IS NOT NULL AND ib IS NOT NULL) AS matched,
     count(*) FILTER (WHERE ib IS NULL) AS only_a, count(*) FILTER (WHERE ia IS NULL) AS only_b FROM pairs`,
  );
  const examples = async (own: string, other: string) =>
    (await duck.rows(`SELECT ${own} AS i FROM pairs WHERE ${other} IS NULL ORDER BY i LIMIT ${SHOWN}`)).map(({ i }) =>
      Number(i),
    );
  return {
    ...(Object.fromEntries(Object.entries(counts!).map(([name, n]) => [name, Number(n)])) as Omit<
      SpecsDiff,
      "examples_only_a" | "examples_only_b"
    >),
    examples_only_a: await examples("ia", "ib"),
    examples_only_b: await examples("ib", "ia"),
  };
}

/** Of the fields that both have; whole numbers and others are compared as numbers. */
function inputKeys(a: Side, b: Side): string[] {
  const ids = new Set<string>([...ID_COLUMNS, "storage_settings"]);
  const [left, right] = [a.tables.get("specs")!, b.tables.get("specs")!];
  const shared = [...left.keys()].filter((name) => right.has(name) && !ids.has(name));
  if (shared.length === 0) {
    const inputs = [left, right].map((columns) => [...columns.keys()].filter((name) => !ids.has(name)));
    if (inputs.some((names) => names.length > 0)) throw nothingShared(inputs);
    return ["0"];
  }
  return shared.map((name) => {
    const [x, y] = [left.get(name)!, right.get(name)!];
    const own = identifier(name);
    if (x === y) return own;
    return NUMBER.test(x) && NUMBER.test(y) ? `CAST(${own} AS DOUBLE)` : `CAST(${own} AS VARCHAR)`;
  });
}

function nothingShared(inputs: readonly string[][]): ScytheError {
  const [a, b] = inputs.map((names) => names.join(", ") || "no inputs");
  return new ScytheError("invalid_input", `The runs have no input field in common (a: ${a}; b: ${b})`, {
    hint: "No spec of one can be found in the other by what it asks. To compare them by their place: --by sort_index.",
  });
}

/** Which of the matched specs failed in one run, in the other, in both. */
export async function compareOutcomes(a: Side, b: Side): Promise<OutcomesDiff> {
  const { duck } = a;
  for (const side of [a, b]) {
    const columns = side.tables.get("errors");
    const from = columns
      ? `SELECT sort_index, ${identifier(errorNamesAmong([...columns.keys()]).kind)} AS kind FROM ${view(side, "errors")}`
      : "SELECT CAST(NULL AS BIGINT) AS sort_index, CAST(NULL AS VARCHAR) AS kind LIMIT 0";
    await duck.run(`CREATE TABLE failed_${side.name} AS ${from}`, "Could not read the errors");
  }
  const joined = `(SELECT * FROM pairs WHERE ia IS NOT NULL AND ib IS NOT NULL)
    LEFT JOIN failed_a fa ON fa.sort_index = ia LEFT JOIN failed_b fb ON fb.sort_index = ib`;
  const [row] = await duck.rows(
    `SELECT count(*) FILTER (WHERE fa.kind IS NULL AND fb.kind IS NULL) AS both_succeeded,
     count(*) FILTER (WHERE fa.kind IS NOT NULL AND fb.kind IS NOT NULL) AS both_failed,
     count(*) FILTER (WHERE fa.kind IS NOT NULL AND fb.kind IS NULL) AS failed_in_a_only,
     count(*) FILTER (WHERE fa.kind IS NULL AND fb.kind IS NOT NULL) AS failed_in_b_only,
     count(*) FILTER (WHERE fa.kind <> fb.kind) AS kind_changed FROM ${joined}`,
  );
  const examples = await duck.rows(
    `SELECT ia, ib, fa.kind AS ka, fb.kind AS kb FROM ${joined} WHERE fa.kind IS DISTINCT FROM fb.kind
     ORDER BY ia LIMIT ${SHOWN}`,
  );
  return {
    ...(Object.fromEntries(Object.entries(row!).map(([name, n]) => [name, Number(n)])) as Omit<
      OutcomesDiff,
      "examples"
    >),
    examples: examples.map(({ ia, ib, ka, kb }) => ({
      sort_index_a: Number(ia),
      sort_index_b: Number(ib),
      a: ka as string | null,
      b: kb as string | null,
    })),
  };
}
