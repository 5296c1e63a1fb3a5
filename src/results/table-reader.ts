import type { AnyExperiment } from "../experiment/define.ts";
import type { Column } from "../schema/columns.ts";
import { ParquetReader, readRows } from "../table/read-parquet.ts";
import { tableColumns } from "./file-columns.ts";
import type { OpenFiles } from "./table-files.ts";

/**
 * One table, opened for reading. Its columns are those of its file; for `scalars`, followed by the experiment's file
 * outputs.
 */
export class TableReader {
  /** In order: the same in text, CSV, JSON and SQL. */
  readonly columns: readonly string[];
  /** The columns of `scalars` that are files. */
  readonly fileFields: readonly string[];
  readonly #files: OpenFiles;
  readonly #table: OpenTable;
  readonly #references: OpenTable | undefined;

  private constructor(files: OpenFiles, table: OpenTable, references: OpenTable | undefined) {
    this.#files = files;
    this.#table = table;
    this.#references = references;
    this.fileFields = references?.columns.map(({ name }) => name) ?? [];
    this.columns = [...table.columns.map(({ name }) => name), ...this.fileFields];
  }

  /** @param files the table and, for `scalars`, `result_file_refs` if it exists; closed with the reader */
  static async open(
    files: OpenFiles,
    table: string,
    experiment: AnyExperiment | undefined,
    check: (table: string, reader: ParquetReader) => Promise<void>,
  ): Promise<TableReader> {
    const opened: OpenTable[] = [];
    try {
      for (const [name, path] of files.paths) {
        const reader = await ParquetReader.open(path);
        opened.push({ name, reader, columns: tableColumns(reader, experiment, name) });
        await check(name, reader);
      }
      const own = opened.find(({ name }) => name === table)!;
      const references = opened.find((other) => other !== own);
      return new TableReader(files, own, references && { ...references, columns: fileColumns(own, references) });
    } catch (error) {
      for (const { reader } of opened) reader.close();
      await files.close();
      throw error;
    }
  }

  /** The rows in order, a row group in memory at a time. */
  async *rows(): AsyncGenerator<Record<string, unknown>> {
    const references = this.#references && readRows(this.#references.reader, this.#references.columns);
    for await (const row of readRows(this.#table.reader, this.#table.columns)) {
      const files = (await references?.next())?.value as Record<string, unknown> | undefined; // one row per row of scalars, in the same order
      yield files ? { ...row, ...files } : row;
    }
  }

  /** Closes the table's files. */
  async close(): Promise<void> {
    this.#table.reader.close();
    this.#references?.reader.close();
    await this.#files.close();
  }
}

interface OpenTable {
  name: string;
  reader: ParquetReader;
  columns: readonly Column[];
}

/** The columns of `result_file_refs` beyond the index, which both tables share. */
function fileColumns(scalars: OpenTable, references: OpenTable): Column[] {
  const index = new Set(scalars.columns.map(({ name }) => name));
  return references.columns.filter(({ name }) => !index.has(name));
}
