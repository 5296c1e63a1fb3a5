import { columnTypes } from "../table/describe.ts";
import type { Duck } from "../table/duckdb.ts";
import { parquetRows } from "../table/parquet-sql.ts";
import { identifier } from "../table/sql.ts";
import { LEVELS, NUMBERS, type RunColumn, type RunTables } from "./run-tables.ts";

/** How many specs failed in each region of an input. */
export interface FailuresByInput {
  input: string;
  regions: FailureRegion[];
}

/** A range of numbers (`low` ≤ value < `high`; the last one with its end), or one level. */
export interface FailureRegion {
  low?: number;
  high?: number;
  level?: string | null;
  specs: number;
  failed: number;
  /** `failed / specs` */
  share: number;
}

/** A number of at most so many values has a region for each. */
const FEW_VALUES = 10;
/** Ranges are taken from about so many specs. */
const EDGE_ROWS = 200_000;
/** An input with more levels is a name: no region of the space. */
const MOST_LEVELS = 50;

/**
 * Where specs fail: for each input that both tables have, the share that failed in ranges with about the same number of
 * specs, or of each level. Inputs of text with very many values are left out.
 */
export async function failuresByInput(
  duck: Duck,
  tables: RunTables,
  inputs: readonly RunColumn[],
  regions: number,
): Promise<FailuresByInput[]> {
  const failedColumns = await columnTypes(duck, `FROM ${parquetRows(tables.errors!)}`);
  const found: FailuresByInput[] = [];
  for (const { name, type } of inputs) {
    if (!failedColumns.has(name)) continue;
    const specs = bothTables(tables, name);
    if (LEVELS.test(type)) {
      const own = await byLevel(duck, specs);
      if (own.length <= MOST_LEVELS) found.push({ input: name, regions: own });
    } else if (NUMBERS.test(type)) {
      found.push({ input: name, regions: await byRange(duck, specs, await edgesOf(duck, specs, regions)) });
    }
  }
  return found;
}

/** Of every spec its `sort_index`, the input's value, and whether it failed. */
function bothTables({ scalars, errors }: RunTables, name: string): string {
  const rows = (file: string, failed: boolean) =>
    `SELECT sort_index, ${identifier(name)} AS value, ${failed} AS failed FROM ${parquetRows(file)}`;
  return `(${rows(scalars, false)} UNION ALL ${rows(errors!, true)})`;
}

const COUNTS = "count(*)::DOUBLE AS specs, count(*) FILTER (failed)::DOUBLE AS failed";

async function byLevel(duck: Duck, specs: string): Promise<FailureRegion[]> {
  const rows = await duck.rows(
    `SELECT value::VARCHAR AS level, ${COUNTS} FROM ${specs} GROUP BY level ORDER BY level LIMIT ${MOST_LEVELS + 1}`,
  );
  return rows.map((row) => regionOf(row, { level: row.level as string | null }));
}

/** Lower ends of ranges; each value's own for a number of few values. */
interface Edges {
  edges: number[];
  each: boolean;
}

async function edgesOf(duck: Duck, specs: string, regions: number): Promise<Edges> {
  const values = `SELECT sort_index, value::DOUBLE AS value FROM ${specs} WHERE isfinite(value::DOUBLE)`;
  const [all] = await duck.rows(`SELECT min(value) AS least, count(*)::DOUBLE AS n FROM (${values})`);
  const step = Math.ceil((all!.n as number) / EDGE_ROWS);
  const sample = step > 1 ? `${values} AND hash(sort_index) % ${step} = 0` : values;
  const distinct = (rows: string) => duck.rows(`SELECT DISTINCT value FROM (${rows}) LIMIT ${FEW_VALUES + 1}`);
  if ((await distinct(sample)).length <= FEW_VALUES) {
    const rows = await distinct(values); // a rare value may be in no sample
    if (rows.length <= FEW_VALUES) return { edges: ascending(rows.map(({ value }) => value as number)), each: true };
  }
  const shares = Array.from({ length: regions - 1 }, (_, i) => (i + 1) / regions);
  const [row] = await duck.rows(`SELECT quantile_cont(value, [${[0, ...shares]}]) AS edges FROM (${sample})`);
  return { edges: ascending([all!.least as number, ...(row!.edges as number[]).slice(1)]), each: false };
}

function ascending(values: readonly number[]): number[] {
  return [...new Set(values)].sort((a, b) => a - b);
}

async function byRange(duck: Duck, specs: string, { edges, each }: Edges): Promise<FailureRegion[]> {
  const cases = edges.slice(1).map((edge, i) => `WHEN value::DOUBLE < '${edge}'::DOUBLE THEN ${i}`);
  const place = `CASE WHEN value IS NULL OR isnan(value::DOUBLE) THEN NULL ${cases.join(" ")} ELSE ${edges.length - 1} END`;
  const rows = await duck.rows(
    `SELECT ${place} AS place, min(value::DOUBLE) AS low, max(value::DOUBLE) AS high, ${COUNTS} FROM ${specs} GROUP BY place ORDER BY place NULLS LAST`,
  );
  return rows.map((row) => {
    if (row.place === null) return regionOf(row, { level: null });
    const at = row.place as number;
    const high = each ? row.low : (edges[at + 1] ?? row.high);
    return regionOf(row, { low: (each ? row.low : edges[at]) as number, high: high as number });
  });
}

function regionOf(row: Record<string, unknown>, region: Pick<FailureRegion, "low" | "high" | "level">): FailureRegion {
  const [specs, failed] = [row.specs as number, row.failed as number];
  return { ...region, specs, failed, share: failed / specs };
}
