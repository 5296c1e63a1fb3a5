import type { Column } from "../../schema/columns.ts";
import { ID_FIELDS } from "../../schema/id-columns.ts";
import { columnTypes, indexNames } from "../../table/describe.ts";
import type { Duck } from "../../table/duckdb.ts";
import { jsonField } from "../../table/flat-json.ts";
import { parquetRows } from "../../table/parquet-sql.ts";
import { identifier } from "../../table/sql.ts";
import { ERRORS } from "../final-columns.ts";
import { FEATURES } from "../part-columns.ts";
import type { GatherSources } from "./sources.ts";

const SQL = { int64: "BIGINT", float64: "DOUBLE", boolean: "BOOLEAN", string: "VARCHAR" } as const;
type FeatureKind = keyof typeof SQL;

/** A computed feature. It has no schema: its type is the one that all its values fit. */
export interface FeatureName {
  name: string;
  /** The spellings that specs use; SQL ignores case. */
  spellings?: readonly string[];
  /** Undefined without any value. */
  kind: FeatureKind | undefined;
}

/** The type of a JSON value. An integer that a double cannot hold exactly was a double before it was written. */
const TYPE = `CASE WHEN json_type(value) IN ('UBIGINT', 'BIGINT') AND abs(TRY_CAST(value AS DOUBLE)) > ${Number.MAX_SAFE_INTEGER}
              THEN 'DOUBLE' ELSE json_type(value) END`;

/** The features of a node's rows, succeeded and failed, in order of first appearance. */
export async function newFeatures(duck: Duck, sources: GatherSources): Promise<FeatureName[]> {
  const selects = [sources.rows, sources.tables[ERRORS]!]
    .filter((files) => files.length > 0)
    .map((files) => `SELECT DISTINCT ${FEATURES} AS f FROM ${parquetRows(files)}`);
  const found = await duck.rows(
    `SELECT first(key ORDER BY id, key) AS name, list(DISTINCT key ORDER BY key) AS spellings, list(DISTINCT ${TYPE}) AS types
     FROM (SELECT f FROM (${selects.join(" UNION ALL ")}) WHERE f IS NOT NULL), json_each(CAST(f AS JSON))
     GROUP BY lower(key) ORDER BY min(id), name`,
  );
  return found.map(({ name, spellings, types }) => ({
    name: name as string,
    spellings: spellings as string[],
    kind: kindOf((types as string[]).filter((type) => type !== "NULL")),
  }));
}

function kindOf(types: readonly string[]): FeatureKind {
  if (types.every((type) => type === "UBIGINT" || type === "BIGINT")) return "int64";
  if (types.every((type) => ["UBIGINT", "BIGINT", "DOUBLE"].includes(type))) return "float64";
  return types.every((type) => type === "BOOLEAN") ? "boolean" : "string";
}

/** The features in the index of a final table. */
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

/** A feature's column, and the spellings of its name. */
export type FeatureColumn = Column & { spellings: readonly string[] };

/** One column per name, of a type that holds all its values; text when they agree on no other. */
export function featureColumns(...groups: readonly (readonly FeatureName[])[]): FeatureColumn[] {
  const found = new Map<string, { name: string; kinds: Set<FeatureKind>; spellings: Set<string> }>();
  for (const { name, kind, spellings = [name] } of groups.flat()) {
    const own = found.get(name.toLowerCase()) ?? { name, kinds: new Set(), spellings: new Set() };
    found.set(name.toLowerCase(), own);
    if (kind) own.kinds.add(kind);
    for (const spelling of spellings) own.spellings.add(spelling);
  }
  return [...found.values()].map(({ name, kinds, spellings }) => ({
    name,
    type: { kind: widest([...kinds]) },
    nullable: true,
    optional: true,
    file: false,
    spellings: [...spellings],
  }));
}

function widest(kinds: readonly FeatureKind[]): FeatureKind {
  if (kinds.length <= 1) return kinds[0] ?? "int64";
  return kinds.every((kind) => kind === "int64" || kind === "float64") ? "float64" : "string";
}

/**
 * SQL of a feature over a part's rows.
 * @param computed false when those rows have no features
 */
export function featureSql(column: FeatureColumn, computed: boolean): string {
  const values = computed ? column.spellings.map((name) => jsonField(FEATURES, name)) : [];
  const value = values.length > 1 ? `coalesce(${values.join(", ")})` : (values[0] ?? "NULL");
  return `CAST(${value} AS ${SQL[column.type.kind as FeatureKind]}) AS ${identifier(column.name)}`;
}

/** SQL of a feature over a final table, where its type may have been narrower. */
export function widened(expression: string, from: string, to: string): string {
  if (from === to) return expression;
  if (from !== SQL.float64 || to !== SQL.string) return `CAST(${expression} AS ${to})`;
  // integers as JSON writes them, without a fraction
  return `CASE WHEN ${expression} = trunc(${expression}) AND abs(${expression}) < 1e15
          THEN CAST(CAST(${expression} AS BIGINT) AS VARCHAR) ELSE CAST(${expression} AS VARCHAR) END`;
}
