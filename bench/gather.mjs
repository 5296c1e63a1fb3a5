/**
 * Gathering beside one bare DuckDB COPY of the same rows: merges the parts of a finished run again, in this process's
 * own way, then copies the table it wrote. One line of JSON.
 *
 * node bench/gather.mjs --storage <folder> [--specs 1000000]
 */
import { readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { openProject } from "scythe-ts";
import { mergeNode } from "../dist/scatter/gather.js";
import { RunCache } from "../dist/scatter/run-task.js";
import { withDuckDb } from "../dist/table/duckdb.js";

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
await run.result();
await scythe.close();

const scratch = await mkdtemp(join(tmpdir(), "scythe-gather-"));
const settings = {
  storage: scythe.storage,
  experiment: scythe.registry.get("wide"),
  runs: new RunCache(scythe.storage),
  scratch,
};
const task = { experiment_id: run.experimentId, path: [], epoch: 1, generation: 0 };
const scalars = join(fileURLToPath(run.uri), "final/scalars.pq");
const [gather, bare] = [[], []];
let peakKiB = 0;
for (let round = 0; round < 3; round++) {
  gather.push(await timed(() => mergeNode(settings, task)));
  bare.push(
    await timed(() =>
      withDuckDb({ tempDir: join(scratch, "spill"), memoryMb: 384 }, count, (duck) =>
        duck.run(
          `COPY (SELECT * FROM read_parquet('${scalars}')) TO '${join(scratch, "bare.pq")}' (FORMAT parquet)`,
          "copy",
        ),
      ),
    ),
  );
}
await rm(scratch, { recursive: true, force: true });
const [gatherSeconds, bareSeconds] = [median(gather), median(bare)];
console.log(
  JSON.stringify({
    specs: count,
    columns: 20,
    gatherSeconds,
    bareSeconds,
    ofBare: bareSeconds / gatherSeconds,
    peakMiB: Math.round(peakKiB / 1024),
  }),
);

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
  return Number([...numbers].sort((a, b) => a - b)[1].toFixed(3));
}
