/**
 * Gathering beside one bare DuckDB COPY of the same rows. Each round takes back the end of a finished run, merges its
 * parts into final tables and a report again (checks, sorting, hashes and fsync included), then copies the table that
 * it wrote. One line of JSON.
 *
 * node bench/gather.mjs --storage <folder> [--specs 1000000]
 */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { openProject } from "scythe-ts";
import { mergeNode } from "../dist/scatter/gather/gather.js";
import { RunCache } from "../dist/scatter/run-task.js";
import { withDuckDb } from "../dist/table/duckdb.js";
import { MemoryBudget } from "../dist/table/memory-budget.js";
import { assertAllSucceeded, assertTable, finalTable } from "./finished.mjs";
import { epochOf, partsOf, takeBackTheEnd } from "./unfinished.mjs";

const ROUNDS = 3;
const MEMORY_MB = 384;

const { values } = parseArgs({
  options: { storage: { type: "string" }, specs: { type: "string", default: "1000000" } },
});
const count = Number(values.specs);

function* wideSpecs() {
  for (let n = 0; n < count; n++) {
    const spec = {};
    for (let i = 0; i < 10; i++) spec[`in_${i}`] = Math.sin(n * 10 + i);
    yield spec;
  }
}

const scythe = await openProject(fileURLToPath(new URL("./project", import.meta.url)), { storage: values.storage });
const run = await scythe.allocate("wide", wideSpecs(), { seed: 1 });
assertAllSucceeded((await run.result()).report, count);
await scythe.close();

const folder = fileURLToPath(run.uri);
const scalars = finalTable(folder);
const copied = join(values.storage, "bare.pq");
const parts = partsOf(folder);
const scratch = await mkdtemp(join(tmpdir(), "scythe-gather-"));
const [gather, bare] = [[], []];
let peakKiB = 0;
for (let round = 0; round < ROUNDS; round++) {
  takeBackTheEnd(folder, "running");
  assert.deepEqual(partsOf(folder), parts);
  gather.push(await timed(mergeRoot));
  await assertTable(scalars, { rows: count, column: "out_9" });
  await rm(copied, { force: true });
  bare.push(await timed(copyBare));
  await assertTable(copied, { rows: count, column: "out_9" });
}
await rm(scratch, { recursive: true, force: true });
const [gatherSeconds, bareSeconds] = [median(gather), median(bare)];
console.log(
  JSON.stringify({
    ...{ specs: count, columns: 20, parts: parts.length, rounds: ROUNDS, gatherSeconds, bareSeconds },
    ofBare: bareSeconds / gatherSeconds,
    peakMiB: Math.round(peakKiB / 1024),
  }),
);

/** As an engine has the root merged: settings and task are those of a process that knows nothing of the run yet. */
async function mergeRoot() {
  const settings = {
    storage: scythe.storage,
    experiment: scythe.registry.get("wide"),
    runs: new RunCache(scythe.storage),
    scratch,
    memory: new MemoryBudget(MEMORY_MB),
  };
  const task = { experiment_id: run.experimentId, path: [], epoch: epochOf(folder), generation: 0 };
  const { succeeded, failed } = await mergeNode(settings, task);
  assert.deepEqual({ succeeded, failed }, { succeeded: count, failed: 0 });
}

/** The same rows from one finished table to another. */
function copyBare() {
  const source = `read_parquet('${scalars}', hive_partitioning = false)`;
  return withDuckDb({ tempDir: join(scratch, "spill"), memoryMb: MEMORY_MB }, count, (duck) =>
    duck.run(`COPY (SELECT * FROM ${source}) TO '${copied}' (FORMAT parquet)`, "copy"),
  );
}
/** Seconds that the work takes; meanwhile watches the memory of the process that merges. */
async function timed(work) {
  const watch = setInterval(() => {
    for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
      try {
        const status = readFileSync(`/proc/${pid}/status`, "utf8");
        if (status.includes(`PPid:\t${process.pid}\n`))
          peakKiB = Math.max(peakKiB, Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0));
      } catch {
        // gone meanwhile
      }
    }
  }, 50);
  const begun = performance.now();
  await work();
  clearInterval(watch);
  return (performance.now() - begun) / 1000;
}

function median(numbers) {
  return Number([...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)].toFixed(3));
}
