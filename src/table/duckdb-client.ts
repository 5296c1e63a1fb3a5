import { type ChildProcess, fork } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type ErrorCode, ScytheError } from "../errors.ts";
import type { Duck, DuckOptions, SqlRow } from "./duckdb.ts";

export type DuckRequest =
  | { type: "open"; options: DuckOptions }
  | { type: "run"; sql: string; what: string }
  | { type: "rows"; sql: string };
export type DuckAnswer =
  | { rows?: SqlRow[] }
  | { error: { code: ErrorCode; message: string; hint?: string | undefined } };

/** Runs `work` against a DuckDB in a child process, which ends with it. */
export async function duckProcess<T>(options: DuckOptions, work: (duck: Duck) => Promise<T>): Promise<T> {
  const child = fork(entry(), [], {
    serialization: "advanced",
    stdio: ["ignore", "ignore", "inherit", "ipc"],
    execArgv: [],
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

/** One question at a time. */
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

/** The compiled program, also when this module runs from its source. */
function entry(): string {
  const beside = fileURLToPath(new URL("./duckdb-process.js", import.meta.url));
  return existsSync(beside) ? beside : fileURLToPath(new URL("../../dist/table/duckdb-process.js", import.meta.url));
}
