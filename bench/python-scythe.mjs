/**
 * This package beside Python Scythe: the same function, the same Hatchet server (named by HATCHET_CLIENT_TOKEN and
 * HATCHET_CLIENT_HOST_PORT), the same S3 server, which it starts on loopback and ends. Each round measures both, one after
 * the other, each with one worker that has done a run before. One line of JSON a run, then a table.
 *
 * node bench/python-scythe.mjs --python <python with scythe-engine> [--specs 400] [--ours 10000,100000] [--rounds 2]
 */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { loadavg } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs, promisify } from "node:util";
import { createJiti } from "jiti";
import { startScytheWorker, startWorker } from "./worker-process.mjs";

/** Python Scythe is fastest so, measured with 2 to 128. */
const PYTHON_SLOTS = 64;
const OUR_SLOTS = 2;
const RUN_MS = 10 * 60_000;

const { values } = parseArgs({
  options: {
    python: { type: "string", default: "python3" },
    specs: { type: "string", default: "400" },
    ours: { type: "string", default: "400,10000,100000" },
    rounds: { type: "string", default: "2" },
  },
});
const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const { startS3Server } = await createJiti(import.meta.url).import("../test/servers/s3-server.ts");
const server = await startS3Server();
if (!server) process.exit(1);
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(130)); // workers end with us
const lines = [];
try {
  const bucket = await server.createBucket();
  for (let round = 1; round <= Number(values.rounds); round++) {
    await pythonRuns(bucket, round);
    await ourRuns(bucket, round);
  }
  table();
} finally {
  await server.stop();
}

async function pythonRuns(bucket, round) {
  const env = {
    ...server.env,
    AWS_DEFAULT_REGION: server.env.AWS_REGION,
    HATCHET_CLIENT_LOG_LEVEL: "INFO",
    HATCHET_CLIENT_NAMESPACE: `bench${randomUUID().slice(0, 8)}`,
    SCYTHE_STORAGE_BUCKET: bucket,
    SCYTHE_STORAGE_BUCKET_PREFIX: `python-${round}`,
    SCYTHE_WORKER_SLOTS: String(PYTHON_SLOTS),
  };
  const script = here("peers/python_scythe.py");
  const worker = await startWorker(values.python, [script, "worker"], { env, ready: "waiting for tasks" });
  try {
    const run = (specs) => measure(values.python, [script, "run", "--specs", String(specs)], env);
    await run(10);
    note(await run(Number(values.specs)), round, PYTHON_SLOTS);
  } finally {
    await worker.stop();
  }
}

async function ourRuns(bucket, round) {
  const storage = `s3://${bucket}/ours-${round}`;
  const env = { ...server.env, HATCHET_CLIENT_NAMESPACE: `bench${randomUUID().slice(0, 8)}` };
  const worker = await startScytheWorker(storage, OUR_SLOTS, env);
  try {
    const run = (specs) =>
      measure(process.execPath, [here("hatchet.mjs"), "--storage", storage, "--specs", String(specs)], env);
    await run(10);
    for (const specs of values.ours.split(",")) note(await run(specs), round, OUR_SLOTS);
  } finally {
    await worker.stop();
  }
}

async function measure(command, args, env) {
  const { stdout } = await promisify(execFile)(command, args, { env: { ...process.env, ...env }, timeout: RUN_MS });
  const line = JSON.parse(stdout.trim().split("\n").at(-1));
  assert.equal(line.succeeded, line.specs, `${line.peer} finished ${line.succeeded} of ${line.specs} specs`);
  return line;
}

function note({ peer, specs, seconds, specsPerSecond, succeeded }, round, slots) {
  const load = Number(loadavg()[0].toFixed(1));
  const line = { round, peer, slots, specs, seconds, specsPerSecond, succeeded, load };
  lines.push(line);
  console.log(JSON.stringify(line));
}

/** Each of our runs beside Python Scythe's of the same round. */
function table() {
  console.log("\n| round | | specs | specs/s | ÷ Python Scythe | load |\n|---|---|---|---|---|---|");
  for (const line of lines) {
    const peer = lines.find(({ round }) => round === line.round);
    const ratio = line === peer ? "1" : (line.specsPerSecond / peer.specsPerSecond).toFixed(0);
    const cells = [line.round, line.peer, line.specs, line.specsPerSecond, ratio, line.load];
    console.log(`| ${cells.map((cell) => cell.toLocaleString("en")).join(" | ")} |`);
  }
}
