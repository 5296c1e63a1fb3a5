/**
 * One run of this package on the Hatchet engine, as one line of JSON. A server must be named by HATCHET_CLIENT_TOKEN and
 * HATCHET_CLIENT_HOST_PORT; with --worker a worker is started for the run, otherwise one must be there already.
 *
 * node bench/hatchet.mjs --storage <folder or s3://…> [--specs N] [--task-ms M] [--slots 2] [--factor F --depth D] [--worker]
 */
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { openProject } from "scythe-ts";
import { assertAllSucceeded } from "./finished.mjs";
import { generateSpecs } from "./peers/spec-generator.mjs";
import { startScytheWorker } from "./worker-process.mjs";

const { values } = parseArgs({
  options: {
    storage: { type: "string" },
    specs: { type: "string", default: "10000" },
    "task-ms": { type: "string", default: "0" },
    slots: { type: "string", default: "2" },
    factor: { type: "string" },
    depth: { type: "string" },
    worker: { type: "boolean", default: false },
  },
});
const count = Number(values.specs);
const taskMs = Number(values["task-ms"]);
const project = fileURLToPath(new URL("./project", import.meta.url));
const worker = values.worker ? await startScytheWorker(values.storage, values.slots) : undefined;
try {
  console.log(JSON.stringify(await measure()));
} finally {
  await worker?.stop();
}

async function measure() {
  const specs = taskMs > 0 ? Array.from({ length: count }, () => ({ ms: taskMs })) : generateSpecs(count);
  const recursion = values.factor ? { factor: Number(values.factor), maxDepth: Number(values.depth) } : undefined;
  const begun = performance.now();
  const scythe = await openProject(project, { storage: values.storage, engine: "hatchet" });
  const run = await scythe.allocate(taskMs > 0 ? "spin" : "orbital_scalars", specs, {
    seed: 1,
    ...(recursion && { recursion }),
  });
  const allocated = performance.now();
  const { report } = await run.result();
  const ended = performance.now();
  await scythe.close();
  assertAllSucceeded(report, count);
  const seconds = (ended - begun) / 1000;
  return {
    peer: "scythe on hatchet",
    specs: count,
    ...recursion,
    seconds: Number(seconds.toFixed(3)),
    specsPerSecond: Math.round(count / seconds),
    runSeconds: Number(((ended - allocated) / 1000).toFixed(3)),
    ...(taskMs > 0 && {
      efficiency: Number(((count * taskMs) / Number(values.slots) / (ended - allocated)).toFixed(4)),
    }),
    succeeded: report.succeeded,
    experimentId: run.experimentId,
  };
}
