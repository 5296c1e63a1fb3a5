import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openProject, type Results, type Storage } from "scythe-ts";
import { expect, vi } from "vitest";
import { parse } from "yaml";
import { canonicalTables } from "../canonical.ts";
import { collect } from "../collect.ts";
import { litterIn } from "../litter.ts";
import { type Plan, PROJECT, Scene, type Step } from "./scene.ts";

export type Tables = Record<string, Record<string, unknown>[]>;

/** The tables of a run to which nothing happens. */
export async function calmTables(plan: Plan): Promise<Tables> {
  return (await calmRun(plan)).tables;
}

/** A run to which nothing happens: its tables, and the steps by which its process changed files. */
export async function calmRun(plan: Plan): Promise<{ tables: Tables; steps: Step[] }> {
  const scene = new Scene();
  try {
    const going = scene.watched([...scene.runArgs(plan), "--engine", "inline"]);
    const { code, stderr } = await going.ended;
    expect(code, stderr).toBe(3); // some of its specs fail, by design
    const [id] = scene.runs();
    const tables = await tablesIn(scene.storage, id!);
    await expectWhole(scene, id!, tables, plan);
    return { tables, steps: going.steps() };
  } finally {
    scene.remove();
  }
}

export interface Expectations {
  /** Columns that the fault may change: what a killed worker costs is tries. */
  ignore?: readonly string[];
  /** For a storage that is opened in another way than by its name. */
  storage?: Storage;
}

/**
 * What must hold of a run whatever was done to it: every spec in one row, tables equal to the calm run's, counts that
 * reconcile, a certificate of `scythe verify`, files that are what the report says, no process and no unfinished file left.
 */
export async function expectWhole(
  scene: Scene,
  experimentId: string,
  calm: Tables,
  plan: Plan,
  { ignore = [], storage }: Expectations = {},
): Promise<{ lost: number; twice: number }> {
  await expectNoProcess(scene);
  await using project = await openProject(PROJECT, { storage: storage ?? scene.storage, engine: "inline" });
  const results = await (await project.findRun(experimentId)).result();
  const tables = (await canonicalTables(results)) as Tables;
  const count = countKeys(tables, plan.specs);
  expect(count, "specs without a row, or with several").toEqual({ lost: 0, twice: 0 });
  expect(without(tables, ignore)).toEqual(without(calm, ignore));
  await expectReconciled(project.storage, experimentId, results, plan);
  await expectOutputFiles(results);
  const { result, problems } = await project.audit.verify(experimentId);
  expect(problems).toEqual([]);
  expect(result).toBe("verified");
  await project.storage.put("next/write", ""); // which takes away what dead processes left
  await project.storage.delete(["next/write"]);
  if (!storage) expectNoLitter(scene);
  return count;
}

async function tablesIn(storage: string, experimentId: string): Promise<Tables> {
  await using project = await openProject(PROJECT, { storage, engine: "inline" });
  return (await canonicalTables(await (await project.findRun(experimentId)).result())) as Tables;
}

/** Result keys against spec keys. */
function countKeys(tables: Tables, specs: number): { lost: number; twice: number } {
  const rows = new Array<number>(specs).fill(0);
  for (const table of ["scalars", "errors"]) {
    for (const row of tables[table]!) rows[Number(row.sort_index)] = (rows[Number(row.sort_index)] ?? 0) + 1;
  }
  expect(rows).toHaveLength(specs); // no key beyond those of the specs
  return { lost: rows.filter((n) => n === 0).length, twice: rows.filter((n) => n > 1).length };
}

function without(tables: Tables, ignored: readonly string[]): Tables {
  const kept = (row: Record<string, unknown>) =>
    Object.fromEntries(Object.entries(row).filter(([name]) => !ignored.includes(name)));
  return Object.fromEntries(Object.entries(tables).map(([name, rows]) => [name, rows.map(kept)]));
}

/** The report's counts add up, and its hashes are those of the files, of which there are no others. */
async function expectReconciled(storage: Storage, id: string, results: Results, plan: Plan): Promise<void> {
  const report = results.report!;
  expect(report.succeeded + report.failed + report.missing).toBe(report.allocated);
  expect(report).toMatchObject({ allocated: plan.specs, missing: 0 });
  const files = await collect(storage.list(`${id}/final/`));
  const found: Record<string, string> = {};
  for (const { key } of files) {
    const name = key.slice(key.lastIndexOf("/") + 1).replace(/\.pq$/, "");
    found[name] = createHash("sha256")
      .update((await storage.get(key)).body)
      .digest("hex");
  }
  const recorded = Object.entries(report.final).map(([name, { sha256 }]) => [name, sha256]);
  expect(found).toEqual(Object.fromEntries(recorded));
  const state = parse(new TextDecoder().decode((await storage.get(`${id}/state.yml`)).body));
  expect(state.status).toBe("complete");
}

async function expectOutputFiles(results: Results): Promise<void> {
  for await (const { sortIndex, path } of results.files("file")) {
    if (path) expect(readFileSync(path, "utf8")).toBe(`n=${sortIndex}`);
  }
}

/** Worker processes notice within half a second that their coordinator is gone. */
async function expectNoProcess(scene: Scene): Promise<void> {
  await vi.waitFor(() => expect(scene.processes()).toEqual([]), { timeout: 20_000, interval: 50 });
}

function expectNoLitter(scene: Scene): void {
  const storage = scene.storage.startsWith("file:") ? fileURLToPath(scene.storage) : scene.storage;
  const unfinished = scene.storage.startsWith("s3:") ? [] : filesIn(join(storage, ".scythe-tmp"));
  expect(unfinished, "unfinished files in storage").toEqual([]);
  expect(litterIn(scene.tmp), "left in the temporary folder").toEqual([]);
  expect(filesIn(scene.cache).filter((path) => path.endsWith(".part"))).toEqual([]);
}

function filesIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}
