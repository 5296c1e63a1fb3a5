import { ScytheError } from "../errors.ts";
import { didYouMean } from "../known-keys.ts";
import { ID_COLUMNS } from "../schema/base.ts";
import { columnTypes, indexNames } from "../table/describe.ts";
import type { Duck } from "../table/duckdb.ts";
import { parquetRows } from "../table/parquet-sql.ts";

/** The tables of a run, as files on this machine. */
export interface RunTables {
  scalars: string;
  /** The table of failed specs; a run of Python Scythe may have none. */
  errors?: string;
}

/** Which columns an analysis is about; by default, what the tables say of themselves. */
export interface AnalysedColumns {
  /** Default: the index that all tables share, without ids. Computed features are part of it: name the inputs to leave them out. */
  inputs?: readonly string[];
  /** Default: all scalar outputs. */
  outputs?: readonly string[];
}

/** A column of a run's scalars. */
export interface RunColumn {
  name: string;
  /** DuckDB's. */
  type: string;
}

export interface RunColumns {
  inputs: RunColumn[];
  outputs: RunColumn[];
}

/** @throws ScytheError `invalid_input` for a column that the run does not have */
export async function runColumns(duck: Duck, tables: RunTables, wanted: AnalysedColumns): Promise<RunColumns> {
  const types = await columnTypes(duck, `FROM ${parquetRows(tables.scalars)}`);
  const index = new Set(await indexNames(duck, tables.scalars));
  const others = [...types.keys()].filter((name) => !(ID_COLUMNS as readonly string[]).includes(name));
  const own = { inputs: others.filter((name) => index.has(name)), outputs: others.filter((name) => !index.has(name)) };
  const pick = (role: "inputs" | "outputs") =>
    (wanted[role] ?? own[role]).map((name) => {
      const type = types.get(name);
      if (type !== undefined) return { name, type };
      throw new ScytheError("invalid_input", `The run has no column ${name}${didYouMean(name, own[role])}`, {
        hint: `Its ${role}: ${own[role].join(", ") || "none"}.`,
      });
    });
  return { inputs: pick("inputs"), outputs: pick("outputs") };
}

export const NUMBERS = /^(DOUBLE|FLOAT|DECIMAL.*|U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|BOOLEAN)$/;
export const LEVELS = /^(VARCHAR|BOOLEAN|ENUM.*)$/;

/** Why a column cannot be taken as an output; undefined for one that can. */
export function whyNoOutput({ type }: RunColumn): string | undefined {
  if (NUMBERS.test(type)) return undefined;
  if (type === "VARCHAR") return "is text, or a file: only numbers and booleans can be analysed";
  return `is of type ${type}: only numbers and booleans can be analysed`;
}
