/**
 * One run of this package on the local engine, as one line of JSON: what the peers' programs print, and its memory and
 * files. `seconds` runs from the first spec generated to the finished tables, the start of workers included; `workSeconds` is the
 * part between the first dispatch and the last commit.
 *
 * node bench/ours.mjs --storage <folder> [--specs N] [--task-ms M] [--slots 2] [--chunk N]
 */
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { openProject } from "scythe-ts";
import { assertAllSucceeded, assertTable, finalTable } from "./finished.mjs";
import { generateSpecs } from "./peers/spec-generator.mjs";

const { values } = parseArgs({
  options: {
    storage: { type: "string" },
    specs: { type: "string", default: "100000" },
    "task-ms": { type: "string", default: "0" },
    slots: { type: "string", default: "2" },
    chunk: { type: "string" },
  },
});
const count = Number(values.specs);
const taskMs = Number(values["task-ms"]);
const specs = taskMs > 0 ? Array.from({ length: count }, () => ({ ms: taskMs })) : generateSpecs(count);
const project = fileURLToPath(new URL("./project", import.meta.url));

const begun = performance.now();
const scythe = await openProject(project, { storage: values.storage, slots: Number(values.slots) });
const run = await scythe.allocate(taskMs > 0 ? "spin" : "orbital_scalars", specs, {
  seed: 1,
  ...(values.chunk && { chunkSize: Number(values.chunk) }),
});
const allocated = performance.now();
const results = await run.result();
const ended = performance.now();
const peakMiB = process.resourceUsage().maxRSS / 1024;
await scythe.close();

const folder = fileURLToPath(run.uri);
const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
assertAllSucceeded(results.report, count);
await assertTable(finalTable(folder), { rows: count, column: taskMs > 0 ? "turns" : "period_min" });
const seconds = (ended - begun) / 1000;
console.log(
  JSON.stringify({
    peer: taskMs > 0 ? `scythe, ${taskMs} ms` : "scythe",
    specs: count,
    seconds: Number(seconds.toFixed(3)),
    specsPerSecond: Math.round(count / seconds),
    allocateSeconds: Number(((allocated - begun) / 1000).toFixed(3)),
    runSeconds: Number(((ended - allocated) / 1000).toFixed(3)),
    ...(taskMs > 0 && {
      efficiency: Number(((count * taskMs) / Number(values.slots) / (ended - allocated)).toFixed(4)),
    }),
    peakMiB: Math.round(peakMiB),
    files: files.length,
    succeeded: results.report.succeeded,
  }),
);
