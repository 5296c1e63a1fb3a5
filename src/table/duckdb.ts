import { type ChildProcess, fork } from "node:child_process";
import { mkdir } from "node:fs/promises";
import type { DuckDBConnection } from "@duckdb/node-api";
import { diskFull, type ErrorCode, messageOf, ScytheError } from "../errors.ts";
import { packageFile } from "../package.ts";
import { NO_WINDOW } from "../platform/processes.ts";

export interface DuckOptions {
  /** Where it spills data that does not fit in memory. */
  tempDir?: string;
  /** MiB of its own buffers; writing may take as much again. */
  memoryMb?: number;
  threads?: number;
}

/** A row of a query's answer: column → value. */
export type SqlRow = Record<string, unknown>;

/** A private in-memory DuckDB. */
export interface Duck {
  /**
   * Runs our own SQL.
   * @throws ScytheError `internal` that says what the statement was for
   */
  run(sql: string, what: string): Promise<void>;
  /** Rows of a small result, with plain JavaScript values. */
  rows(sql: string): Promise<SqlRow[]>;
}

/** Above this many rows DuckDB runs in a child process; below, starting one would take longer than the work. */
const OWN_PROCESS_ROWS = 50_000;

/**
 * Opens a DuckDB for the duration of `work`. For many rows it runs in a child process: that returns all of its memory,
 * and its death is an error rather than ours.
 * @param rows approximate number of rows it will handle
 */
export function withDuckDb<T>(options: DuckOptions, rows: number, work: (duck: Duck) => Promise<T>): Promise<T> {
  if (rows <= OWN_PROCESS_ROWS) return withConnection(options, (connection) => work(duckOf(connection)));
  return duckProcess(options, work);
}

/** Opens a DuckDB in this process. The library is large, so it is loaded on first use. */
export async function withConnection<T>(
  options: DuckOptions,
  work: (connection: DuckDBConnection) => Promise<T>,
): Promise<T> {
  const { DuckDBInstance } = await import("@duckdb/node-api");
  if (options.tempDir) await mkdir(options.tempDir, { recursive: true });
  const instance = await DuckDBInstance.create(":memory:", {
    memory_limit: `${options.memoryMb ?? 128}MiB`,
    threads: String(options.threads ?? 2),
    temp_directory: options.tempDir ?? "",
    autoinstall_known_extensions: "false",
    autoload_known_extensions: "false",
  });
  const connection = await instance.connect();
  try {
    return await work(connection);
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

export function duckOf(connection: DuckDBConnection): Duck {
  return {
    run: async (sql, what) => {
      try {
        await connection.run(sql);
      } catch (error) {
        const message = `${what}: ${messageOf(error)}`;
        throw diskFull(error, what) ?? new ScytheError("internal", message, { cause: error, details: { sql } });
      }
    },
    rows: async (sql) => (await selectRows(connection, sql)).rows,
  };
}

/** Rows of a small result, with the column names. */
export async function selectRows(
  connection: DuckDBConnection,
  sql: string,
): Promise<{ columns: string[]; rows: SqlRow[] }> {
  const reader = await connection.runAndReadAll(sql);
  const columns = reader.deduplicatedColumnNames();
  // not by assignment, as in getRowObjectsJS: a column may be called __proto__
  const rows = reader.getRowsJS().map((row) => Object.fromEntries(columns.map((name, i) => [name, row[i]])) as SqlRow);
  return { columns, rows };
}

/** Requests to `duckdb-process.ts`, and its answers. */
export type DuckRequest =
  | { type: "open"; options: DuckOptions }
  | { type: "run"; sql: string; what: string }
  | { type: "rows"; sql: string };
export type DuckAnswer =
  | { rows?: SqlRow[] }
  | { error: { code: ErrorCode; message: string; hint?: string | undefined } };

/** Runs `work` with a DuckDB in a child process, which ends with it. */
async function duckProcess<T>(options: DuckOptions, work: (duck: Duck) => Promise<T>): Promise<T> {
  const child = fork(packageFile("dist/table/duckdb-process.js"), [], {
    serialization: "advanced",
    stdio: ["ignore", "ignore", "inherit", "ipc"],
    execArgv: [],
    ...NO_WINDOW,
  });
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  try {
    await ask(child, { type: "open", options });
    return await work({
      run: async (sql, what) => void (await ask(child, { type: "run", sql, what })),
      rows: async (sql) => (await ask(child, { type: "rows", sql })) ?? [],
    });
  } finally {
    child.kill("SIGKILL");
    await exited;
  }
}

/** Sends one request at a time. */
function ask(child: ChildProcess, request: DuckRequest): Promise<SqlRow[] | undefined> {
  return new Promise((resolve, reject) => {
    const settle = () => {
      child.off("message", onMessage);
      child.off("exit", onExit);
    };
    const onMessage = (answer: DuckAnswer) => {
      settle();
      if ("error" in answer) {
        const { code, message, hint } = answer.error;
        reject(new ScytheError(code, message, hint === undefined ? {} : { hint }));
      } else resolve(answer.rows);
    };
    const onExit = (code: number | null, signal: string | null) => {
      settle();
      reject(new ScytheError("internal", `The process that merges tables died (${signal ?? `exit code ${code}`})`));
    };
    child.once("message", onMessage).once("exit", onExit);
    child.send(request, (error) => error && onExit(child.exitCode, child.signalCode));
  });
}
