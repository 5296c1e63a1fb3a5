/**
 * Numbers of runs in a bucket of a real S3 server on loopback: objects written, artifacts, and a download of 1,000 small
 * files through 20 ms of latency a request, beside a sequential loop of gets. One line of JSON.
 *
 * node bench/s3.mjs
 */
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createJiti } from "jiti";
import { localStorage, openProject, s3Storage } from "scythe-ts";
import { RunLayout } from "../dist/run/layout.js";
import { downloadRun } from "../dist/transfer/download.js";
import { assertAllSucceeded } from "./finished.mjs";

const jiti = createJiti(import.meta.url);
const { startS3Server } = await jiti.import("../test/servers/s3-server.ts");
const { startFaultProxy } = await jiti.import("../test/servers/fault-proxy.ts");
const project = fileURLToPath(new URL("../test/fixtures/troubled", import.meta.url));

const server = await startS3Server();
if (!server) process.exit(1);
const folder = mkdtempSync(join(tmpdir(), "scythe-bench-s3-"));
process.env.SCYTHE_CACHE_DIR = join(folder, "cache");
try {
  console.log(JSON.stringify({ ...(await objects()), ...(await artifacts()), ...(await downloads()) }));
} finally {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
}

async function bucketStorage(endpoint = server.endpoint) {
  return s3Storage({ bucket: await server.createBucket(), endpoint, credentials: server.credentials });
}

async function count(storage, prefix = "") {
  let n = 0;
  for await (const _ of storage.list(prefix)) n++;
  return n;
}

async function finishedRun(storage, specs) {
  const scythe = await openProject(project, { storage });
  const run = await scythe.allocate("quick", specs);
  assertAllSucceeded((await run.result()).report, specs.length);
  await scythe.close();
  return run;
}

async function objects() {
  const storage = await bucketStorage();
  const specs = Array.from({ length: 10_000 }, (_, n) => ({ n }));
  const begun = performance.now();
  await finishedRun(storage, specs);
  const seconds = (performance.now() - begun) / 1000;
  return { objectsFor10000Specs: await count(storage), specsPerSecond: Math.round(10_000 / seconds) };
}

async function artifacts() {
  const storage = await bucketStorage();
  const files = Array.from({ length: 3 }, (_, i) => {
    const path = join(folder, `weather-${i}.txt`);
    writeFileSync(path, `weather ${i}`.repeat(10_000));
    return path;
  });
  const specs = Array.from({ length: 1_000 }, (_, n) => ({ n, source: files[n % 3] }));
  const run = await finishedRun(storage, specs);
  return { artifactsFor1000Specs: await count(storage, `${run.experimentId}/artifacts/`) };
}

async function downloads() {
  const direct = await bucketStorage();
  const specs = Array.from({ length: 1_000 }, (_, n) => ({ n, bad: "file" }));
  const run = await finishedRun(direct, specs);
  const [name, version, timestamp] = run.experimentId.split("/");
  const layout = new RunLayout({ name, version, timestamp });
  const proxy = await startFaultProxy(server.endpoint, { latencyMs: 20 });
  const { bucket } = /s3:\/\/(?<bucket>[^/]+)/.exec(direct.uri).groups;
  const slow = s3Storage({ bucket, endpoint: proxy.endpoint, credentials: server.credentials });
  const keys = [];
  for await (const { key } of direct.list(`${run.experimentId}/results/`)) keys.push(key);
  const begun = performance.now();
  await downloadRun(slow, layout, localStorage(join(folder, "parallel")), { what: ["results"] });
  const parallel = performance.now() - begun;
  const there = keys.filter((key) => existsSync(join(folder, "parallel", key)));
  assert.deepEqual([keys.length, there.length], [specs.length, specs.length]);
  const again = performance.now();
  for (const key of keys) await slow.getFile(key, join(folder, "sequential", key.replaceAll("/", "_")));
  const sequential = performance.now() - again;
  for (const key of keys) {
    const [one, other] = [join("parallel", key), join("sequential", key.replaceAll("/", "_"))];
    assert.deepEqual(readFileSync(join(folder, one)), readFileSync(join(folder, other)));
  }
  await proxy.close();
  return {
    downloadFiles: keys.length,
    downloadSeconds: Number((parallel / 1000).toFixed(2)),
    sequentialSeconds: Number((sequential / 1000).toFixed(2)),
    timesFaster: Number((sequential / parallel).toFixed(1)),
  };
}
