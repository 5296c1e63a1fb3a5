import { parquetMetadataAsync } from "hyparquet";
import { ScytheError } from "../../errors.ts";
import type { Storage } from "../../storage/storage.ts";
import type { Duck } from "../../table/duckdb.ts";
import { parquetFacts } from "../../table/parquet-sql.ts";

/**
 * Good rows (a part's, or those that a node gathered) name the tables that lie beside them: which attempt wrote them, and
 * which there are, as one without rows has no file. So a table that is lost is told from one that never was.
 */
export interface Beside {
  attempt: string;
  /** Undefined for what an earlier version gathered: it named none. */
  tables: readonly string[] | undefined;
}

const ATTEMPT_KEY = "scythe_attempt";
const TABLES_KEY = "scythe_tables";
/** Enough for the metadata of most files in one request. */
const FOOTER = 32 * 1024;

/** As key-value metadata of the rows. */
export function besideMetadata(attempt: string, tables: readonly string[]): Record<string, string> {
  return { [ATTEMPT_KEY]: attempt, [TABLES_KEY]: tables.join(",") };
}

/** What the rows under a key say, wherever they are stored. */
export async function readBeside(storage: Storage, key: string, size: number): Promise<Beside> {
  const slice = async (start: number, end = size) => new Uint8Array(await storage.getRange(key, start, end)).buffer;
  const { key_value_metadata } = await parquetMetadataAsync({ byteLength: size, slice }, { initialFetchSize: FOOTER });
  return besideOf(new Map(key_value_metadata?.map((pair) => [pair.key, pair.value ?? ""])));
}

/** What the rows in each of these files on this machine say, in the files' order. */
export async function besideAll(duck: Duck, files: readonly string[]): Promise<Beside[]> {
  if (files.length === 0) return [];
  const pairs = await duck.rows(
    `SELECT file_name AS file, decode(key) AS key, decode(value) AS value FROM ${parquetFacts("kv_metadata", files)}`,
  );
  const found = new Map<string, Map<string, string>>(files.map((file) => [file, new Map()]));
  for (const { file, key, value } of pairs) found.get(file as string)!.set(key as string, value as string);
  return files.map((file) => besideOf(found.get(file)!));
}

function besideOf(metadata: ReadonlyMap<string, string>): Beside {
  const names = metadata.get(TABLES_KEY)?.split(",").filter(Boolean);
  return { attempt: metadata.get(ATTEMPT_KEY) ?? "", tables: names };
}

/** A table that is named and not there. */
export function lostTable(storage: Storage, table: string, rows: string): ScytheError {
  return new ScytheError("storage", `${storage.uriOf(table)} is gone, though ${storage.uriOf(rows)} names it`, {
    hint: "Resume the run: what it belongs to is made anew.",
    details: { key: table },
  });
}
