import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { openProject, type Storage } from "scythe-ts";
import { expect } from "vitest";
import { parse } from "yaml";
import { canonicalTables } from "./canonical.ts";
import { runCli, spawnCli } from "./cli.ts";
import { collect } from "./collect.ts";

export const STEERED = fileURLToPath(new URL("./fixtures/steered", import.meta.url));

/** The command line in the fixture's project, on a storage: in a process of its own, and in this one. */
export function commandLine(storage: string) {
  const on = (args: readonly string[]) => [...args, "--storage", storage];
  return {
    start: (...args: string[]) => spawnCli(on(args), { cwd: STEERED }),
    scythe: (...args: string[]) => runCli(on(args), { cwd: STEERED }),
  };
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

/** Content of what a finished run must keep as it is. */
export async function finished(storage: Storage, id: string): Promise<Record<string, string>> {
  const keys = [...(await collect(storage.list(`${id}/final/`))).map(({ key }) => key), `${id}/report.yml`];
  const hash = async (key: string) =>
    createHash("sha256")
      .update((await storage.get(key)).body)
      .digest("hex");
  return Object.fromEntries(await Promise.all(keys.map(async (key) => [key, await hash(key)])));
}

/** Every spec in one row, good or failed, and the tables that the report names. */
export async function expectWhole(uri: string, id: string, storage: Storage, count: number, failed = 0): Promise<void> {
  await using project = await openProject(STEERED, { storage: uri, engine: "inline" });
  const results = await (await project.findRun(id)).openResults();
  expect(results.report).toMatchObject({
    allocated: count,
    succeeded: count - failed,
    failed,
    missing: 0,
  });
  const { scalars, errors } = (await canonicalTables(results)) as Record<string, { sort_index: number }[]>;
  const rows = [...scalars!, ...errors!].map(({ sort_index }) => sort_index);
  expect(rows.sort((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, n) => n));
  const hashes = await finished(storage, id);
  for (const [name, { sha256 }] of Object.entries(results.report!.final)) {
    expect(hashes[`${id}/final/${name}.pq`], name).toBe(sha256);
  }
}
