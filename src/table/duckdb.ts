import { mkdir } from "node:fs/promises";
import type { DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";
import { messageOf, ScytheError } from "../errors.ts";

export interface DuckOptions {
  /** Where it spills what does not fit in memory. */
  tempDir?: string;
  /** MiB of its own buffers. */
  memoryMb?: number;
  threads?: number;
  /** Refuses files, network and settings to SQL that comes from outside. */
  locked?: boolean;
}

/** A private in-memory DuckDB for the time of `work`. The library is loaded at the first use only: it is large. */
export async function withDuckDb<T>(options: DuckOptions, work: (duck: Duck) => Promise<T>): Promise<T> {
  const { DuckDBInstance } = await import("@duckdb/node-api");
  if (options.tempDir) await mkdir(options.tempDir, { recursive: true });
  const instance = await DuckDBInstance.create(":memory:", {
    memory_limit: `${options.memoryMb ?? 256}MiB`,
    threads: String(options.threads ?? 2),
    temp_directory: options.tempDir ?? "",
    autoinstall_known_extensions: "false",
    autoload_known_extensions: "false",
  });
  const connection = await instance.connect();
  try {
    return await work(new Duck(instance, connection));
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

export type SqlRow = Record<string, unknown>;

export class Duck {
  readonly instance: DuckDBInstance;
  readonly connection: DuckDBConnection;

  constructor(instance: DuckDBInstance, connection: DuckDBConnection) {
    this.instance = instance;
    this.connection = connection;
  }

  /** Runs SQL of our own making; a failure names what it was for. */
  async run(sql: string, what: string): Promise<void> {
    try {
      await this.connection.run(sql);
    } catch (error) {
      throw new ScytheError("internal", `${what}: ${messageOf(error)}`, { cause: error, details: { sql } });
    }
  }

  /** Rows of a small result, values as plain JavaScript. */
  async rows(sql: string): Promise<SqlRow[]> {
    const reader = await this.connection.runAndReadAll(sql);
    return reader.getRowObjectsJS() as SqlRow[];
  }

  /** Rows of a result of any size, a vector at a time. */
  async *stream(sql: string): AsyncGenerator<SqlRow[]> {
    const result = await this.connection.stream(sql);
    for await (const rows of result.yieldRowObjectJs()) yield rows as SqlRow[];
  }
}
