import type { Column } from "../spec/columns.ts";
import { ID_FIELDS } from "../spec/id-columns.ts";
import { columnTypes, indexNames } from "../table/describe.ts";
import type { Duck } from "../table/duckdb.ts";
import { parquetRows } from "../table/parquet-sql.ts";
import { identifier, literal } from "../table/sql.ts";
import { ERRORS, FEATURES } from "./part-columns.ts";
import type { GatherSources } from "./sources.ts";

const SQL = { int64: "BIGINT", float64: "DOUBLE", boolean: "BOOLEAN", string: "VARCHAR" } as const;
type FeatureKind = keyof typeof SQL;

/** A computed feature, which has no schema: its type is what its values agree on. */
export interface FeatureName {
  name: string;
  /** Undefined when it has no values. */
  kind: FeatureKind | undefined;
}

/** The features of a node's rows, good and failed, in the order in which they came up. */
export async function freshFeatures(duck: Duck, sources: GatherSources): Promise<FeatureName[]> {
  const selects = [sources.rows, sources.tables[ERRORS]!]
    .filter((files) => files.length > 0)
    .map((files) => `SELECT DISTINCT ${FEATURES} AS f FROM ${parquetRows(files)}`);
  const found = await duck.rows(
    `SELECT key, list(DISTINCT json_type(value)) AS types, min(id) AS first
     FROM (SELECT f FROM (${selects.join(" UNION ALL ")}) WHERE f IS NOT NULL), json_each(CAST(f AS JSON))
     GROUP BY key ORDER BY first, key`,
  );
  return found.map(({ key, types }) => ({
    name: key as string,
    kind: kindOf((types as string[]).filter((type) => type !== "NULL")),
  }));
}

function kindOf(types: readonly string[]): FeatureKind {
  if (types.every((type) => type === "UBIGINT" || type === "BIGINT")) return "int64";
  if (types.every((type) => ["UBIGINT", "BIGINT", "DOUBLE"].includes(type))) return "float64";
  return types.every((type) => type === "BOOLEAN") ? "boolean" : "string";
}

/** The features that a finished table has in its index. */
export async function finishedFeatures(duck: Duck, file: string, inputs: readonly Column[]): Promise<FeatureName[]> {
  const known = new Set([...ID_FIELDS, ...inputs].map((column) => column.name));
  const names = (await indexNames(duck, file)).filter((name) => !known.has(name));
  if (names.length === 0) return [];
  const from = `FROM ${parquetRows(file)}`;
  const types = await columnTypes(duck, `SELECT * ${from}`);
  const counts = names.map((name, i) => `count(${identifier(name)}) AS n${i}`).join(", ");
  const [values] = await duck.rows(`SELECT ${counts} ${from}`);
  return names.map((name, i) => {
    const kind = (Object.keys(SQL) as FeatureKind[]).find((own) => SQL[own] === types.get(name)) ?? "string";
    return { name, kind: Number(values![`n${i}`]) > 0 ? kind : undefined };
  });
}

/** One column a name, of a type that holds all of its values: text when they agree on no other. */
export function featureColumns(...groups: readonly (readonly FeatureName[])[]): Column[] {
  const kinds = new Map<string, Set<FeatureKind>>();
  for (const { name, kind } of groups.flat()) {
    const own = kinds.get(name) ?? new Set();
    kinds.set(name, kind ? own.add(kind) : own);
  }
  return [...kinds].map(([name, own]) => ({
    name,
    type: { kind: widest([...own]) },
    nullable: true,
    optional: true,
    file: false,
  }));
}

function widest(kinds: readonly FeatureKind[]): FeatureKind {
  if (kinds.length <= 1) return kinds[0] ?? "int64";
  return kinds.every((kind) => kind === "int64" || kind === "float64") ? "float64" : "string";
}

/** SQL of a feature over a part's rows. @param computed false when those rows have no features */
export function featureSql(column: Column, computed: boolean): string {
  const value = computed ? `json_extract_string(${FEATURES}, ${literal(`$."${column.name}"`)})` : "NULL";
  return `CAST(${value} AS ${SQL[column.type.kind as FeatureKind]}) AS ${identifier(column.name)}`;
}

/** SQL of a feature over a finished table, where its type may have been a narrower one. */
export function widened(expression: string, from: string, to: string): string {
  if (from === to) return expression;
  if (from !== SQL.float64 || to !== SQL.string) return `CAST(${expression} AS ${to})`;
  // whole numbers as JSON writes them, without a fraction
  return `CASE WHEN ${expression} = trunc(${expression}) AND abs(${expression}) < 1e15
          THEN CAST(CAST(${expression} AS BIGINT) AS VARCHAR) ELSE CAST(${expression} AS VARCHAR) END`;
}
