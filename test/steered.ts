import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Storage } from "scythe-ts";
import { parse } from "yaml";

export const STEERED = fileURLToPath(new URL("./fixtures/steered", import.meta.url));
const MAIN = fileURLToPath(new URL("../dist/cli/main.js", import.meta.url));

export interface Ended {
  code: number | null;
  out: string;
  err: string;
}

/** The command line in the fixture's project, on a storage. */
export function commandLine(storage: string) {
  const start = (...args: string[]): ChildProcess & { ended: Promise<Ended> } => {
    const child = spawn(process.execPath, [MAIN, ...args, "--storage", storage], {
      cwd: STEERED,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let out = "";
    let err = "";
    child.stdout.setEncoding("utf8").on("data", (text) => {
      out += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text) => {
      err += text;
    });
    const ended = once(child, "close").then(([code]) => ({ code: code as number | null, out, err }));
    return Object.assign(child, { ended });
  };
  return { start, scythe: (...args: string[]) => start(...args).ended };
}

export type How = "well" | "fails" | "hangs" | "spawns";

/** Specs of the fixture that note their executions in `<folder>/ledger`. */
export function steadySpecs(folder: string, count: number, ms: number, how: (n: number) => How = () => "well") {
  const ledger = join(folder, "ledger");
  const specs = Array.from({ length: count }, (_, n) => ({ n, ledger, ms, how: how(n) }));
  const file = join(folder, "specs.jsonl");
  writeFileSync(file, specs.map((spec) => `${JSON.stringify(spec)}\n`).join(""));
  writeFileSync(ledger, "");
  return { specs, file, lines: () => readFileSync(ledger, "utf8").split("\n").filter(Boolean) };
}

/** Waits for what other processes are to bring about. */
export async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (const begun = Date.now(); !(await condition()); await sleep(20)) {
    if (Date.now() - begun > 60_000) throw new Error(`it did not come to ${what}`);
  }
}

export interface SeenState {
  status: string;
  epoch: number;
  reason: string | null;
  owner: { pid: number };
}

export async function stateIn(storage: Storage, experimentId: string): Promise<SeenState> {
  const { body } = await storage.get(`${experimentId}/state.yml`);
  return parse(new TextDecoder().decode(body)) as SeenState;
}

export function isAlive(pid: number): boolean {
  if (existsSync(`/proc/${pid}/stat`)) return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
