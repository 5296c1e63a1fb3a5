/**
 * The bare Node pool: child_process.fork, batches of specs over IPC, results in memory, one Parquet file.
 * No checks, no retries, no durable state: what a careful researcher writes in an afternoon, and the speed to measure by.
 *
 * node bench/peers/fork-pool.mjs --function <module.js> --export propagate --out <file.parquet> [--specs N] [--workers 2]
 *   [--batch 100] [--serialization advanced|json] [--seed 1] [--codec UNCOMPRESSED|SNAPPY]
 *   [--task-ms M [--sleep]]
 *
 * Serialization "advanced" (structured clone) is the default since it is the faster in batches of 100: README.md.
 *
 * With --task-ms every task also takes M ms (spinning; asleep with --sleep), tasks go one by one unless --batch is
 * given, and the line tells the efficiency: the time that perfect workers would take over the time it took to compute.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { asyncBufferFromFile, parquetMetadataAsync } from "hyparquet";
import { parquetWriteFile } from "hyparquet-writer";
import { generateSpecs } from "./spec-generator.mjs";

/** One running and one queued ahead, so that no worker waits for the parent. */
const BATCHES_AHEAD = 2;
const WORKER = fileURLToPath(new URL("fork-pool-worker.mjs", import.meta.url));

function readOptions() {
  const { values } = parseArgs({
    options: {
      specs: { type: "string", default: "100000" },
      workers: { type: "string", default: "2" },
      batch: { type: "string" },
      seed: { type: "string", default: "1" },
      serialization: { type: "string", default: "advanced" },
      function: { type: "string" },
      export: { type: "string", default: "propagate" },
      "task-ms": { type: "string", default: "0" },
      sleep: { type: "boolean", default: false },
      codec: { type: "string", default: "UNCOMPRESSED" },
      out: { type: "string" },
    },
  });
  if (!values.function || !values.out) throw new Error("Give --function <module.js> and --out <file.parquet>.");
  const taskMs = Number(values["task-ms"]);
  return {
    specs: Number(values.specs),
    workers: Number(values.workers),
    batch: Number(values.batch ?? (taskMs > 0 ? 1 : 100)),
    seed: Number(values.seed),
    serialization: values.serialization,
    module: pathToFileURL(resolve(values.function)).href,
    exportName: values.export,
    taskMs,
    sleep: values.sleep,
    codec: values.codec,
    out: values.out,
  };
}

/** Forks the workers and waits until each has loaded the function. */
async function startWorkers({ workers, serialization, module, exportName, taskMs, sleep }) {
  const pool = Array.from({ length: workers }, () =>
    fork(WORKER, [JSON.stringify({ module, exportName, taskMs, sleep })], { serialization }),
  );
  await Promise.all(pool.map((worker) => once(worker, "message")));
  return pool;
}

/** Sends the batches to whichever worker has room; resolves with the results in the order of the specs. */
function compute(pool, specs, batch) {
  const results = new Array(specs.length);
  let next = 0;
  let left = specs.length;
  return new Promise((done, fail) => {
    const feed = (worker) => {
      if (next >= specs.length) return;
      worker.send({ start: next, specs: specs.slice(next, next + batch) });
      next += batch;
    };
    for (const worker of pool) {
      worker.on("message", (reply) => {
        feed(worker);
        for (let i = 0; i < reply.results.length; i++) results[reply.start + i] = reply.results[i];
        left -= reply.results.length;
        if (left === 0) done(results);
      });
      worker.once("exit", (code, signal) => fail(new Error(`A worker died (code ${code}, signal ${signal}).`)));
    }
    for (let ahead = 0; ahead < BATCHES_AHEAD; ahead++) pool.forEach(feed);
  });
}

/** One field of all rows. */
function column(rows, name) {
  const data = new Float64Array(rows.length);
  for (let row = 0; row < rows.length; row++) data[row] = rows[row][name];
  return { name, type: "DOUBLE", data };
}

function writeTable(specs, results, { out, codec }) {
  const sortIndex = Int32Array.from(specs.keys());
  const columnData = [{ name: "sort_index", type: "INT32", data: sortIndex }];
  for (const rows of [specs, results]) {
    for (const name of Object.keys(rows[0])) columnData.push(column(rows, name));
  }
  return parquetWriteFile({ filename: out, codec, columnData });
}

function report(options, { begun, ready, computed, ended }) {
  const round = (ms) => Math.round(ms / 0.1) / 10_000;
  const ideal = (Math.ceil(options.specs / options.workers) * options.taskMs) / (computed - ready);
  return {
    peer: "node-fork-pool",
    specs: options.specs,
    seconds: round(ended - begun),
    specsPerSecond: Math.round((options.specs / (ended - begun)) * 10_000) / 10,
    workers: options.workers,
    batch: options.batch,
    serialization: options.serialization,
    ...(options.taskMs > 0 && { taskMs: options.taskMs, sleep: options.sleep, efficiency: Number(ideal.toFixed(4)) }),
    startSeconds: round(ready - begun),
    computeSeconds: round(computed - ready),
    writeSeconds: round(ended - computed),
    codec: options.codec,
    out: options.out,
    node: process.versions.node,
  };
}

const options = readOptions();
const specs = [...generateSpecs(options.specs, options.seed)];
const begun = performance.now();
const pool = await startWorkers(options);
const ready = performance.now();
const results = await compute(pool, specs, options.batch);
const computed = performance.now();
for (const worker of pool) worker.removeAllListeners("exit").disconnect();
await writeTable(specs, results, options);
const ended = performance.now();
const { num_rows: rows } = await parquetMetadataAsync(await asyncBufferFromFile(options.out));
if (Number(rows) !== options.specs || results.includes(undefined))
  throw new Error(`${rows} of ${options.specs} rows were written.`);
console.log(JSON.stringify(report(options, { begun, ready, computed, ended })));
