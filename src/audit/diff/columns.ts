import type { Duck, SqlRow } from "../../table/duckdb.ts";
import { identifier } from "../../table/sql.ts";

/** A value of a matched spec, as text with all of its digits. */
export interface Example {
  sort_index_a: number;
  sort_index_b: number;
  sort_subindex: number | null;
  a: string | null;
  b: string | null;
}

/** How the values of one column differ, over all matched specs. */
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

/** One of two sets of tables: views named `a_scalars`, `b_scalars`, … */
export interface OpenTables {
  name: "a" | "b";
  /** Table → its columns and their types. */
  tables: ReadonlyMap<string, ReadonlyMap<string, string>>;
}

/** The view of a table, as SQL. */
export function view({ name }: Pick<OpenTables, "name">, table: string): string {
  return identifier(`${name}_${table}`);
}

export interface Comparing {
  tolerance: number;
  /** Of each column the largest differences, or the first by `sort_index`. */
  show: "largest" | "first";
  most: number;
}

export const NUMBER = /^(DOUBLE|FLOAT|BIGINT|INTEGER|HUGEINT)$/;
const WHOLE = /^(BIGINT|INTEGER|HUGEINT)$/;

/**
 * Compares columns that both tables of one name have, row by row of the specs in `pairs` (a table of `ia` and `ib`, the
 * `sort_index` of a spec here and there), in one pass.
 */
export async function compareTable(
  duck: Duck,
  a: OpenTables,
  b: OpenTables,
  table: string,
  names: readonly string[],
  comparing: Comparing,
): Promise<{ table: TableDiff; columns: ColumnDiff[] }> {
  const [left, right] = [a.tables.get(table)!, b.tables.get(table)!];
  const many = left.has("sort_subindex") && right.has("sort_subindex");
  const joined = joinedSql(a, b, table, names, many);
  const terms = names.map((name, i) => termsOf(i, kindOf(left.get(name), right.get(name)), comparing.tolerance));
  const [row] = await duck.rows(
    `SELECT count(*) FILTER (WHERE ${BOTH}) AS n, count(a.i) AS rows_a, count(b.i) AS rows_b,
     count(*) FILTER (WHERE b.i IS NULL) AS only_a, count(*) FILTER (WHERE a.i IS NULL) AS only_b
     ${terms.map((own) => `, ${countSql(own)}`).join("")} FROM ${joined}`,
  );
  const count = (name: string) => Number(row![name]);
  const diffs = names.map((name, i) => columnDiff(row!, table, name, i));
  const unequal = terms.filter(({ i }) => diffs[i]!.different > 0);
  if (unequal.length > 0) {
    const parts = unequal.map((own) => exampleSql(own, many, comparing));
    const [examples] = await duck.rows(`SELECT ${parts.join(", ")} FROM ${joined}`);
    for (const { i } of unequal) diffs[i]!.examples = examplesOf(examples![`x${i}`]);
  }
  const [rows_a, rows_b, only_a, only_b] = [count("rows_a"), count("rows_b"), count("only_a"), count("only_b")];
  return { table: { table, rows_a, rows_b, only_a, only_b }, columns: diffs };
}

type Kind = "whole" | "number" | "same" | "text";

function kindOf(...types: (string | undefined)[]): Kind {
  if (types.every((type) => type && WHOLE.test(type))) return "whole";
  if (types.every((type) => type && NUMBER.test(type))) return "number";
  return types[0] === types[1] ? "same" : "text";
}

/** Rows of both, side by side, where their spec is in both; their compared values under names of ours. */
function joinedSql(a: OpenTables, b: OpenTables, table: string, names: readonly string[], many: boolean): string {
  const values = names.map((name, i) => `, t.${identifier(name)} AS v${i}`).join("");
  const side = (own: OpenTables, index: string) =>
    `(SELECT t.sort_index AS i, ${many ? "t.sort_subindex" : "NULL"} AS sub, p.ib AS pair${values}
      FROM ${view(own, table)} t
      JOIN (SELECT * FROM pairs WHERE ia IS NOT NULL AND ib IS NOT NULL) p ON p.${index} = t.sort_index) ${own.name}`;
  // a spec without a row in one run failed there, which outcomes say
  return `${side(a, "ia")} ${many ? "FULL" : "INNER"} JOIN ${side(b, "ib")} ON a.pair = b.pair ${many ? "AND a.sub = b.sub" : ""}`;
}

/** SQL of what is asked of one column's two values. */
interface Terms {
  /** Its place among the compared columns. */
  i: number;
  x: string;
  y: string;
  same: string;
  /** Of numbers that differ, whether the tolerance allows it. */
  near: string;
  /** Of numbers; undefined for other columns. */
  distance: { of: string; relative: string; finite: string } | undefined;
}

const BOTH = "a.i IS NOT NULL AND b.i IS NOT NULL";

function termsOf(i: number, kind: Kind, tolerance: number): Terms {
  const isWhole = kind === "whole"; // a double has not all digits of a 64-bit integer
  const [x, y] = kind === "text" ? [`CAST(a.v${i} AS VARCHAR)`, `CAST(b.v${i} AS VARCHAR)`] : [`a.v${i}`, `b.v${i}`];
  const same = `${x} IS NOT DISTINCT FROM ${y}`;
  if (kind !== "number" && !isWhole) return { i, x, y, same, near: "false", distance: undefined };
  const [p, q] = [`CAST(${x} AS DOUBLE)`, `CAST(${y} AS DOUBLE)`];
  const of = isWhole ? `CAST(abs(CAST(${x} AS HUGEINT) - CAST(${y} AS HUGEINT)) AS DOUBLE)` : `abs(${p} - ${q})`;
  const finite = `isfinite(${p}) AND isfinite(${q})`;
  const near = `coalesce(${finite} AND ${of} <= ${tolerance} * greatest(1, abs(${p}), abs(${q})), false)`;
  return { i, x, y, same, near, distance: { of, relative: `${of} / greatest(abs(${p}), abs(${q}))`, finite } };
}

function countSql({ i, same, near, distance }: Terms): string {
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
function exampleSql({ i, x, y, same, near, distance }: Terms, many: boolean, { show, most }: Comparing): string {
  const example = `{ia: a.i, ib: b.i, sub: a.sub, a: ${x}, b: ${y}}`;
  const size = distance ? `CASE WHEN ${distance.finite} THEN ${distance.of} ELSE 'infinity'::DOUBLE END` : "-a.i";
  const shown =
    show === "largest"
      ? `arg_max(${example}, ${size}, ${most})`
      : `arg_min(${example}, ${many ? "(a.i, a.sub)" : "a.i"}, ${most})`;
  const texts = "{ia: e.ia, ib: e.ib, sub: e.sub, a: CAST(e.a AS VARCHAR), b: CAST(e.b AS VARCHAR)}";
  return `list_transform(${shown} FILTER (WHERE ${BOTH} AND NOT (${same}) AND NOT ${near}), lambda e: ${texts}) AS x${i}`;
}

function columnDiff(row: SqlRow, table: string, column: string, i: number): ColumnDiff {
  const [compared, equal, near] = [Number(row[`n${i}`]), Number(row[`e${i}`]), Number(row[`w${i}`])];
  const isNumber = row[`d${i}`] !== null && row[`d${i}`] !== undefined;
  return {
    table,
    column,
    compared,
    equal,
    near,
    different: compared - equal - near,
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
