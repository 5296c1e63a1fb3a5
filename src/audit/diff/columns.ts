import { ID_COLUMNS } from "../../schema/base.ts";
import type { Duck, SqlRow } from "../../table/duckdb.ts";
import { identifier } from "../../table/sql.ts";
import { type Side, view } from "./sides.ts";

/** A value of a matched spec, as text with all of its digits. */
export interface Example {
  sort_index_a: number;
  sort_index_b: number;
  sort_subindex: number | null;
  a: string | null;
  b: string | null;
}

export interface ColumnDiff {
  table: string;
  column: string;
  compared: number;
  /** Exactly, NaN being equal to NaN, and null to null alone. */
  equal: number;
  /** Not exactly, but within the tolerance. */
  near: number;
  different: number;
  /** Of numbers, where both are finite; null for other columns. */
  max_abs: number | null;
  max_rel: number | null;
  /** The largest differences. */
  examples: Example[];
}

/** Rows of the matched specs that one run has and the other has not. */
export interface TableDiff {
  table: string;
  rows_a: number;
  rows_b: number;
  only_a: number;
  only_b: number;
}

const SHOWN = 3;
const NUMBER = /^(DOUBLE|FLOAT|BIGINT|INTEGER|HUGEINT)$/;
const WHOLE = /^(BIGINT|INTEGER|HUGEINT)$/;

/** Compares what both runs' tables of one name have in common, row by row of the matched specs, in one pass. */
export async function compareTable(
  duck: Duck,
  a: Side,
  b: Side,
  table: string,
  tolerance: number,
): Promise<{ table: TableDiff; columns: ColumnDiff[] }> {
  const names = comparedColumns(a, b, table);
  const many = [a, b].every((side) => side.tables.get(table)!.has("sort_subindex"));
  const joined = joinedSql(a, b, table, many);
  const columns = names.map((name, i) => {
    const types = [a, b].map((side) => side.tables.get(table)!.get(name)!);
    return {
      name,
      i,
      kind: kindOf(types),
    };
  });
  const sql = columns.map(({ name, i, kind }) => countSql(termsOf(identifier(name), kind, tolerance), i));
  const [row] = await duck.rows(
    `SELECT count(*) FILTER (WHERE a.i IS NOT NULL AND b.i IS NOT NULL) AS n, count(a.i) AS rows_a, count(b.i) AS rows_b,
     count(*) FILTER (WHERE b.i IS NULL) AS only_a, count(*) FILTER (WHERE a.i IS NULL) AS only_b
     ${sql.map((part) => `, ${part}`).join("")} FROM ${joined}`,
  );
  const count = (name: string) => Number(row![name]);
  const diffs = columns.map(({ name, i }) => columnDiff(row!, table, name, i));
  const unequal = columns.filter(({ i }) => diffs[i]!.different > 0);
  if (unequal.length > 0) {
    const parts = unequal.map(({ name, i, kind }) => exampleSql(termsOf(identifier(name), kind, tolerance), i, many));
    const [examples] = await duck.rows(`SELECT ${parts.join(", ")} FROM ${joined}`);
    for (const { i } of unequal) diffs[i]!.examples = examplesOf(examples![`x${i}`]);
  }
  return {
    table: {
      table,
      rows_a: count("rows_a"),
      rows_b: count("rows_b"),
      only_a: count("only_a"),
      only_b: count("only_b"),
    },
    columns: diffs,
  };
}

function kindOf(types: readonly string[]): string {
  if (types.every((type) => WHOLE.test(type))) return "whole";
  if (types.every((type) => NUMBER.test(type))) return "number";
  return types[0] === types[1] ? "same" : "text";
}

/** Values that both have: no ids, and no inputs, by which specs are matched. */
function comparedColumns(a: Side, b: Side, table: string): string[] {
  const ids = new Set<string>([...ID_COLUMNS, "storage_settings", "sort_subindex"]);
  const isInput = (name: string) => table !== "specs" && [a, b].some((side) => side.tables.get("specs")!.has(name));
  const other = b.tables.get(table)!;
  return [...a.tables.get(table)!.keys()].filter((name) => other.has(name) && !ids.has(name) && !isInput(name));
}

/** Rows of both, side by side, where their spec is in both runs. */
function joinedSql(a: Side, b: Side, table: string, many: boolean): string {
  const side = (own: Side, index: string) =>
    `(SELECT t.*, t.sort_index AS i, p.ib AS pair FROM ${view(own, table)} t
      JOIN (SELECT * FROM pairs WHERE ia IS NOT NULL AND ib IS NOT NULL) p ON p.${index} = t.sort_index) ${own.name}`;
  const and = many ? "AND a.sort_subindex = b.sort_subindex" : "";
  // a spec without a row in one run failed there, which is told elsewhere
  return `${side(a, "ia")} ${many ? "FULL" : "INNER"} JOIN ${side(b, "ib")} ON a.pair = b.pair ${and}`;
}

/** SQL of what is asked of one column's two values. */
interface Terms {
  x: string;
  y: string;
  same: string;
  /** Of numbers that differ, whether the tolerance allows it. */
  near: string;
  /** Of numbers; undefined for other columns. */
  distance: { of: string; relative: string; finite: string } | undefined;
}

const BOTH = "a.i IS NOT NULL AND b.i IS NOT NULL";

function termsOf(name: string, kind: string, tolerance: number): Terms {
  const isWhole = kind === "whole"; // a double has not all digits of a 64-bit integer
  const [x, y] = [`a.${name}`, `b.${name}`].map((v) => (kind === "text" ? `CAST(${v} AS VARCHAR)` : v)) as [
    string,
    string,
  ];
  const same = `${x} IS NOT DISTINCT FROM ${y}`;
  if (kind !== "number" && !isWhole) return { x, y, same, near: "false", distance: undefined };
  const [p, q] = [`CAST(${x} AS DOUBLE)`, `CAST(${y} AS DOUBLE)`];
  const of = isWhole ? `CAST(abs(CAST(${x} AS HUGEINT) - CAST(${y} AS HUGEINT)) AS DOUBLE)` : `abs(${p} - ${q})`;
  const finite = `isfinite(${p}) AND isfinite(${q})`;
  const near = `coalesce(${finite} AND ${of} <= ${tolerance} * greatest(1, abs(${p}), abs(${q})), false)`;
  return { x, y, same, near, distance: { of, relative: `${of} / greatest(abs(${p}), abs(${q}))`, finite } };
}

function countSql({ same, near, distance }: Terms, i: number): string {
  return [
    `count(*) FILTER (WHERE ${BOTH}) AS n${i}`,
    `count(*) FILTER (WHERE ${BOTH} AND ${same}) AS e${i}`,
    `count(*) FILTER (WHERE ${BOTH} AND NOT (${same}) AND ${near}) AS w${i}`,
    distance ? `max(${distance.of}) FILTER (WHERE ${distance.finite}) AS d${i}` : `NULL AS d${i}`,
    distance
      ? `max(${distance.relative}) FILTER (WHERE ${distance.finite} AND ${distance.of} > 0) AS r${i}`
      : `NULL AS r${i}`,
  ].join(", ");
}

/** Only what is shown is made text of. What is no finite number in one of them is the largest difference of all. */
function exampleSql({ x, y, same, near, distance }: Terms, i: number, many: boolean): string {
  const example = `{ia: a.i, ib: b.i, sub: ${many ? "a.sort_subindex" : "NULL"}, a: ${x}, b: ${y}}`;
  const by = distance ? `CASE WHEN ${distance.finite} THEN ${distance.of} ELSE 'infinity'::DOUBLE END` : "-a.i";
  const largest = `arg_max(${example}, ${by}, ${SHOWN}) FILTER (WHERE ${BOTH} AND NOT (${same}) AND NOT ${near})`;
  const texts = "{ia: e.ia, ib: e.ib, sub: e.sub, a: CAST(e.a AS VARCHAR), b: CAST(e.b AS VARCHAR)}";
  return `list_transform(${largest}, lambda e: ${texts}) AS x${i}`;
}

function columnDiff(row: SqlRow, table: string, column: string, i: number): ColumnDiff {
  const [compared, equal, near] = [Number(row[`n${i}`]), Number(row[`e${i}`]), Number(row[`w${i}`])];
  const isNumber = row[`d${i}`] !== null && row[`d${i}`] !== undefined;
  return {
    ...{ table, column, compared, equal, near, different: compared - equal - near },
    max_abs: numberOrNull(row[`d${i}`]),
    max_rel: isNumber ? (numberOrNull(row[`r${i}`]) ?? 0) : null,
    examples: [],
  };
}

function examplesOf(found: unknown): Example[] {
  return ((found as Record<string, unknown>[] | null) ?? []).map((example) => ({
    sort_index_a: Number(example.ia),
    sort_index_b: Number(example.ib),
    sort_subindex: numberOrNull(example.sub),
    a: example.a as string | null,
    b: example.b as string | null,
  }));
}

function numberOrNull(value: unknown): number | null {
  return value === null || value === undefined ? null : Number(value);
}
