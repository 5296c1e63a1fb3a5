import { ID_COLUMNS } from "../spec/base.ts";
import type { Duck, SqlRow } from "../table/duckdb.ts";
import { identifier } from "../table/sql.ts";
import { type Side, view } from "./diff-sides.ts";

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
      kind: types.every((type) => NUMBER.test(type)) ? "number" : types[0] === types[1] ? "same" : "text",
    };
  });
  const sql = columns.map(({ name, i, kind }) => columnSql(identifier(name), i, kind, tolerance, many));
  const [row] = await duck.rows(
    `SELECT count(*) FILTER (WHERE a.i IS NOT NULL AND b.i IS NOT NULL) AS n, count(a.i) AS rows_a, count(b.i) AS rows_b,
     count(*) FILTER (WHERE b.i IS NULL) AS only_a, count(*) FILTER (WHERE a.i IS NULL) AS only_b
     ${sql.map((part) => `, ${part}`).join("")} FROM ${joined}`,
  );
  const count = (name: string) => Number(row![name]);
  return {
    table: {
      table,
      rows_a: count("rows_a"),
      rows_b: count("rows_b"),
      only_a: count("only_a"),
      only_b: count("only_b"),
    },
    columns: columns.map(({ name, i }) => columnDiff(row!, table, name, i)),
  };
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

function columnSql(name: string, i: number, kind: string, tolerance: number, many: boolean): string {
  const [x, y] = [`a.${name}`, `b.${name}`].map((v) => (kind === "text" ? `CAST(${v} AS VARCHAR)` : v)) as [
    string,
    string,
  ];
  const both = "a.i IS NOT NULL AND b.i IS NOT NULL";
  const same = `${x} IS NOT DISTINCT FROM ${y}`;
  const subindex = many ? "a.sort_subindex" : "NULL";
  const example = `{ia: a.i, ib: b.i, sub: ${subindex}, a: CAST(${x} AS VARCHAR), b: CAST(${y} AS VARCHAR)}`;
  if (kind !== "number") {
    return [
      `count(*) FILTER (WHERE ${both} AND ${same}) AS e${i}, 0 AS w${i}, NULL AS d${i}, NULL AS r${i}`,
      `arg_min(${example}, a.i, ${SHOWN}) FILTER (WHERE ${both} AND NOT (${same})) AS x${i}`,
      `count(*) FILTER (WHERE ${both}) AS n${i}`,
    ].join(", ");
  }
  const [p, q] = [`CAST(${x} AS DOUBLE)`, `CAST(${y} AS DOUBLE)`];
  const finite = `isfinite(${p}) AND isfinite(${q})`;
  const distance = `abs(${p} - ${q})`;
  const near = `(${finite} AND ${distance} <= ${tolerance} * greatest(1, abs(${p}), abs(${q})))`;
  const differs = `NOT (${same}) AND NOT coalesce(${near}, false)`;
  return [
    `count(*) FILTER (WHERE ${both} AND ${same}) AS e${i}`,
    `count(*) FILTER (WHERE ${both} AND NOT (${same}) AND coalesce(${near}, false)) AS w${i}`,
    `max(${distance}) FILTER (WHERE ${finite}) AS d${i}`,
    `max(${distance} / greatest(abs(${p}), abs(${q}))) FILTER (WHERE ${finite} AND ${distance} > 0) AS r${i}`,
    // what is no finite number in one of them is the largest difference of all
    `arg_max(${example}, CASE WHEN ${finite} THEN ${distance} ELSE 'infinity'::DOUBLE END, ${SHOWN})
     FILTER (WHERE ${both} AND ${differs}) AS x${i}`,
    `count(*) FILTER (WHERE ${both}) AS n${i}`,
  ].join(", ");
}

function columnDiff(row: SqlRow, table: string, column: string, i: number): ColumnDiff {
  const [compared, equal, near] = [Number(row[`n${i}`]), Number(row[`e${i}`]), Number(row[`w${i}`])];
  const number = (value: unknown) => (value === null || value === undefined ? null : Number(value));
  const isNumber = row[`d${i}`] !== null && row[`d${i}`] !== undefined;
  return {
    ...{ table, column, compared, equal, near, different: compared - equal - near },
    max_abs: number(row[`d${i}`]),
    max_rel: isNumber ? (number(row[`r${i}`]) ?? 0) : null,
    examples: ((row[`x${i}`] as Record<string, unknown>[] | null) ?? []).map((example) => ({
      sort_index_a: Number(example.ia),
      sort_index_b: Number(example.ib),
      sort_subindex: number(example.sub),
      a: example.a as string | null,
      b: example.b as string | null,
    })),
  };
}
