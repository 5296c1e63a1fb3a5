import { ScytheError } from "../../errors.ts";
import type { Column } from "../../schema/columns.ts";
import { columnTypes } from "../../table/describe.ts";
import { parquetRows } from "../../table/parquet-sql.ts";
import { movedColumn } from "../../table/relocate.ts";
import { identifier } from "../../table/sql.ts";
import { widened } from "./features.ts";
import type { PreviousTables } from "./previous-tables.ts";
import type { Merge } from "./sources.ts";

/** The query for one final table. */
export interface TableQuery {
  name: string;
  index: readonly Column[];
  columns: readonly Column[];
  /** Index columns that previous tables may lack, or have with narrower types. */
  loose: ReadonlySet<string>;
  /** SQL of the rows of this generation's specs. */
  select: string;
  /** The rows are in order already. */
  ordered: boolean;
  order: string;
  /** Column names in the previous table, where they differ. */
  renamed?: ReadonlyMap<string, string> | undefined;
  /** Columns that are summed over generations. */
  sums?: readonly string[];
}

/** SQL of the table's rows including those of the previous table, unordered. */
export async function joinPrevious({ duck }: Merge, previous: PreviousTables, table: TableQuery): Promise<string> {
  const file = parquetRows(previous.files[table.name]!);
  const columns = [...table.index, ...table.columns];
  const old = await columnTypes(duck, `SELECT * FROM ${file}`);
  const fresh = await columnTypes(duck, table.select);
  const kept = columns.map((column) => {
    const name = table.renamed?.get(column.name) ?? column.name;
    const [from, to] = [old.get(name), fresh.get(column.name)!];
    if (from !== to && !table.loose.has(column.name)) throw otherType(table.name, column.name, from, to);
    return `${keptColumn(identifier(name), from, to, column, previous)} AS ${identifier(column.name)}`;
  });
  const without = previous.replaced
    ? `ANTI JOIN (SELECT sort_index AS __replaced FROM ${parquetRows(previous.replaced)}) ON sort_index = __replaced`
    : "";
  const added = previous.replaced && table.sums ? summed(table, file) : table.select;
  return `(SELECT ${kept.join(", ")} FROM ${file} ${without}) UNION ALL (${added})`;
}

function keptColumn(
  name: string,
  from: string | undefined,
  to: string,
  column: Column,
  previous: PreviousTables,
): string {
  if (from === undefined) return `CAST(NULL AS ${to})`;
  const value = widened(name, from, to);
  return column.file && previous.moves.length > 0 ? movedColumn(value, to, previous.moves) : value;
}

/** Adds the counts of the spec's replaced row to the new one. */
function summed({ select, sums = [], renamed }: TableQuery, file: string): string {
  const before = sums.map((name, i) => `${identifier(renamed?.get(name) ?? name)} AS __before${i}`);
  const sum = sums.map((name, i) => `${identifier(name)} + coalesce(__before${i}, 0) AS ${identifier(name)}`);
  return `SELECT * EXCLUDE (__index, ${sums.map((_, i) => `__before${i}`).join(", ")}) REPLACE (${sum.join(", ")})
          FROM (${select}) LEFT JOIN (SELECT sort_index AS __index, ${before.join(", ")} FROM ${file}) ON sort_index = __index`;
}

function otherType(table: string, column: string, from: string | undefined, to: string): ScytheError {
  return new ScytheError(
    "storage",
    `final/${table}.pq has ${from ? `${from} in its column` : "no column"} ${column}, but ${to} is needed`,
    { hint: "Nothing was replaced. Restore the table from a copy of the run, then resume." },
  );
}
