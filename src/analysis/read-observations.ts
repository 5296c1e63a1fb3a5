import type { DuckDBConnection } from "@duckdb/node-api";
import { type Duck, duckOf, withConnection } from "../table/duckdb.ts";
import { parquetRows } from "../table/parquet-sql.ts";
import { identifier, literal } from "../table/sql.ts";
import type { InputColumn, Observations, UnusableColumn } from "./observations.ts";
import {
  type AnalysedColumns,
  LEVELS,
  NUMBERS,
  type RunColumn,
  type RunTables,
  runColumns,
  whyNoOutput,
} from "./run-tables.ts";

/** An input of text with more values than this, or hardly more rows than values, is a name and no level. */
const MOST_LEVELS = 200;
const ROWS_PER_LEVEL = 2;
const READ_MB = 512;
/** The level of rows that have no value. */
const NO_VALUE = "(none)";

export interface ReadOptions extends AnalysedColumns {
  /** Specs of the run (default: rows of both tables). */
  planned?: number;
  /** Read about so many rows, chosen by their `sort_index` as if by chance (default: all). */
  sample?: number;
}

/**
 * A run's scalars as typed columns, eight bytes a value. Text and booleans among the inputs become levels, in the order
 * of their texts; booleans among the outputs 0 and 1.
 */
export function readObservations(tables: RunTables, options: ReadOptions = {}): Promise<Observations> {
  return withConnection({ memoryMb: READ_MB }, async (connection) => {
    const duck = duckOf(connection);
    const columns = await runColumns(duck, tables, options);
    const rows = await countRows(duck, tables.scalars);
    const planned = options.planned ?? rows + (tables.errors ? await countRows(duck, tables.errors) : 0);
    const unusable: UnusableColumn[] = [];
    const inputs: (Omit<InputColumn, "values"> & { sql: string })[] = [];
    for (const column of columns.inputs) {
      const coded = await codedInput(duck, tables, column, rows);
      if ("reason" in coded) unusable.push({ name: column.name, role: "input", reason: coded.reason });
      else inputs.push({ name: column.name, ...coded });
    }
    const outputs = columns.outputs.filter((column) => {
      const reason = whyNoOutput(column);
      if (reason) unusable.push({ name: column.name, role: "output", reason });
      return !reason;
    });
    const source = await sampled(duck, tables.scalars, rows, options.sample);
    const expressions = ["sort_index", ...inputs.map(({ sql }) => sql), ...outputs.map(({ name }) => identifier(name))];
    const values = await readNumbers(connection, source, expressions);
    return {
      positions: values[0]!,
      inputs: inputs.map(({ sql: _, ...column }, j) => ({ ...column, values: values[1 + j]! })),
      outputs: outputs.map(({ name }, k) => ({ name, values: values[1 + inputs.length + k]! })),
      unusable,
      planned,
    };
  });
}

export async function countRows(duck: Duck, file: string): Promise<number> {
  const [row] = await duck.rows(`SELECT count(*)::DOUBLE AS rows FROM ${parquetRows(file)}`);
  return row!.rows as number;
}

/** SQL for all rows, or for the share of them that makes about `most`; and how many there are. */
async function sampled(duck: Duck, file: string, rows: number, most = rows): Promise<{ sql: string; rows: number }> {
  if (rows <= most) return { sql: parquetRows(file), rows };
  const sql = `${parquetRows(file)} WHERE hash(sort_index) % ${Math.ceil(rows / most)} = 0`;
  const [row] = await duck.rows(`SELECT count(*)::DOUBLE AS rows FROM ${sql}`);
  return { sql, rows: row!.rows as number };
}

/** SQL that gives an input as a number. */
async function codedInput(
  duck: Duck,
  tables: RunTables,
  { name, type }: RunColumn,
  rows: number,
): Promise<{ sql: string; levels?: string[] } | { reason: string }> {
  const column = identifier(name);
  if (!LEVELS.test(type)) {
    return NUMBERS.test(type) ? { sql: column } : { reason: `is of type ${type}, neither a number nor text` };
  }
  const levels = await levelsOf(duck, tables.scalars, column, MOST_LEVELS + 1);
  if (levels.length > MOST_LEVELS || (levels.length > 2 && rows < levels.length * ROWS_PER_LEVEL)) {
    const many = levels.length > MOST_LEVELS ? `more than ${MOST_LEVELS}` : levels.length;
    return { reason: `is text with ${many} values in ${rows} rows: too many to be levels` };
  }
  const listed = `[${levels.map(literal).join(", ")}]::VARCHAR[]`;
  const place = `list_position(${listed}, ${column}::VARCHAR) - 1`;
  return { sql: `coalesce(${place}, ${levels.length})`, levels: [...levels, NO_VALUE] };
}

/** The texts of a column, sorted; not more than `most`. */
export async function levelsOf(duck: Duck, file: string, column: string, most: number): Promise<string[]> {
  const texts = `SELECT DISTINCT ${column}::VARCHAR AS level FROM ${parquetRows(file)} WHERE ${column} IS NOT NULL`;
  const rows = await duck.rows(`${texts} ORDER BY level LIMIT ${most}`);
  return rows.map(({ level }) => level as string);
}

/** Columns of doubles, a chunk of rows at a time. */
async function readNumbers(
  connection: DuckDBConnection,
  source: { sql: string; rows: number },
  expressions: readonly string[],
): Promise<Float64Array[]> {
  const columns = expressions.map((sql, i) => `coalesce(CAST(${sql} AS DOUBLE), 'nan'::DOUBLE) AS c${i}`);
  const result = await connection.stream(`SELECT ${columns.join(", ")} FROM ${source.sql}`);
  const values = expressions.map(() => new Float64Array(source.rows));
  let at = 0;
  for (let chunk = await result.fetchChunk(); chunk && chunk.rowCount > 0; chunk = await result.fetchChunk()) {
    for (const [c, column] of values.entries()) {
      const vector = chunk.getColumnVector(c);
      for (let i = 0; i < chunk.rowCount; i++) column[at + i] = vector.getItem(i) as number;
    }
    at += chunk.rowCount;
  }
  return values;
}
