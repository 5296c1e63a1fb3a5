import { parquetMetadataAsync } from "hyparquet";
import { ScytheError } from "../../errors.ts";
import type { Storage } from "../../storage/storage.ts";
import type { Duck } from "../../table/duckdb.ts";
import { parquetFacts } from "../../table/parquet-sql.ts";

/**
 * Rows of succeeded specs (of a part, or gathered by a node) name their side tables: the attempt that wrote them, and
 * which exist, as a table without rows has no file. So a lost table can be told from one that never existed.
 */
export interface SideTables {
  attempt: string;
  /** Undefined for rows gathered by an earlier version, which named none. */
  tables: readonly string[] | undefined;
}

const ATTEMPT_KEY = "scythe_attempt";
const TABLES_KEY = "scythe_tables";
/** Enough for the metadata of most files in one request. */
const FOOTER = 32 * 1024;

/** The Parquet key-value metadata for the rows. */
export function sideTablesMetadata(attempt: string, tables: readonly string[]): Record<string, string> {
  return { [ATTEMPT_KEY]: attempt, [TABLES_KEY]: tables.join(",") };
}

/** Reads the metadata of stored rows, wherever they are stored. */
export async function readSideTables(storage: Storage, key: string, size: number): Promise<SideTables> {
  const slice = async (start: number, end = size) => new Uint8Array(await storage.getRange(key, start, end)).buffer;
  const { key_value_metadata } = await parquetMetadataAsync({ byteLength: size, slice }, { initialFetchSize: FOOTER });
  return parseSideTables(new Map(key_value_metadata?.map((pair) => [pair.key, pair.value ?? ""])));
}

/** Reads the metadata of local files, in the files' order. */
export async function readAllSideTables(duck: Duck, files: readonly string[]): Promise<SideTables[]> {
  if (files.length === 0) return [];
  const pairs = await duck.rows(
    `SELECT file_name AS file, decode(key) AS key, decode(value) AS value FROM ${parquetFacts("kv_metadata", files)}`,
  );
  const found = new Map<string, Map<string, string>>(files.map((file) => [file, new Map()]));
  for (const { file, key, value } of pairs) found.get(file as string)!.set(key as string, value as string);
  return files.map((file) => parseSideTables(found.get(file)!));
}

function parseSideTables(metadata: ReadonlyMap<string, string>): SideTables {
  const names = metadata.get(TABLES_KEY)?.split(",").filter(Boolean);
  return { attempt: metadata.get(ATTEMPT_KEY) ?? "", tables: names };
}

/** The error for a table that is named but missing. */
export function lostTable(storage: Storage, table: string, rows: string): ScytheError {
  return new ScytheError("storage", `${storage.uriOf(table)} is missing, though ${storage.uriOf(rows)} names it`, {
    hint: "Resume the run: the rows that it belongs to are made again.",
    details: { key: table },
  });
}
