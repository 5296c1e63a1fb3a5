import { ScytheError } from "../../errors.ts";
import type { Column } from "../../schema/columns.ts";
import { columnTypes } from "../../table/describe.ts";
import { parquetRows } from "../../table/parquet-sql.ts";
import { movedColumn } from "../../table/relocate.ts";
import { identifier } from "../../table/sql.ts";
import { widened } from "./features.ts";
import type { Base } from "./previous-tables.ts";
import type { Merge } from "./sources.ts";

/** A finished table in the making. */
export interface TableQuery {
  name: string;
  index: readonly Column[];
  columns: readonly Column[];
  /** Index columns that may be missing, or have had narrower types. */
  loose: ReadonlySet<string>;
  /** SQL of the rows that this generation's specs gave. */
  select: string;
  /** They come in order already. */
  ordered: boolean;
  order: string;
  /** Names that the base's columns have, where they have others. */
  renamed?: ReadonlyMap<string, string> | undefined;
  /** Columns that are added up over generations. */
  sums?: readonly string[];
}

/** SQL of the table's rows, those of the base among them, in no order. */
export async function joinBase({ duck }: Merge, base: Base, table: TableQuery): Promise<string> {
  const file = parquetRows(base.files[table.name]!);
  const columns = [...table.index, ...table.columns];
  const old = await columnTypes(duck, `SELECT * FROM ${file}`);
  const fresh = await columnTypes(duck, table.select);
  const kept = columns.map((column) => {
    const name = table.renamed?.get(column.name) ?? column.name;
    const [from, to] = [old.get(name), fresh.get(column.name)!];
    if (from !== to && !table.loose.has(column.name)) throw otherType(table.name, column.name, from, to);
    return `${keptColumn(identifier(name), from, to, column, base)} AS ${identifier(column.name)}`;
  });
  const without = base.replaced
    ? `ANTI JOIN (SELECT sort_index AS __replaced FROM ${parquetRows(base.replaced)}) ON sort_index = __replaced`
    : "";
  const added = base.replaced && table.sums ? summed(table, file) : table.select;
  return `(SELECT ${kept.join(", ")} FROM ${file} ${without}) UNION ALL (${added})`;
}

function keptColumn(name: string, from: string | undefined, to: string, column: Column, base: Base): string {
  if (from === undefined) return `CAST(NULL AS ${to})`;
  const value = widened(name, from, to);
  return column.file && base.moves.length > 0 ? movedColumn(value, to, base.moves) : value;
}

/** What the replaced row of the same spec counted is counted on. */
function summed({ select, sums = [], renamed }: TableQuery, file: string): string {
  const before = sums.map((name, i) => `${identifier(renamed?.get(name) ?? name)} AS __before${i}`);
  const sum = sums.map((name, i) => `${identifier(name)} + coalesce(__before${i}, 0) AS ${identifier(name)}`);
  return `SELECT * EXCLUDE (__index, ${sums.map((_, i) => `__before${i}`).join(", ")}) REPLACE (${sum.join(", ")})
          FROM (${select}) LEFT JOIN (SELECT sort_index AS __index, ${before.join(", ")} FROM ${file}) ON sort_index = __index`;
}

function otherType(table: string, column: string, from: string | undefined, to: string): ScytheError {
  return new ScytheError(
    "storage",
    `final/${table}.pq has ${from ? `${from} in its column` : "no column"} ${column}, where ${to} is to go on`,
    { hint: "Nothing was replaced. Restore the table from a copy of the run, then resume." },
  );
}
