/**
 * The numbers of docs/benchmarks.md: this package beside its peers, in one run, as ratios.
 *
 * npm run bench [-- throughput memory tasks files latency gather resume s3 designs hatchet] [--specs 1000000] [--python <python with pandas, dask>]
 */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { transformWithEsbuild } from "vite";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { specs: { type: "string", default: "1000000" }, python: { type: "string", default: "python3" } },
});
const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), "scythe-bench-"));
const specs = Number(values.specs);

const SCENARIOS = { throughput, memory, tasks, files, latency, gather, resume, s3, designs, hatchet };
const chosen = positionals.length > 0 ? positionals : Object.keys(SCENARIOS);
const unknown = chosen.find((name) => !SCENARIOS[name]);
if (unknown) throw new Error(`No benchmark ${unknown}; there are: ${Object.keys(SCENARIOS).join(", ")}`);
try {
  for (const name of chosen) {
    console.log(`\n## ${name}\n`);
    await SCENARIOS[name]();
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

/** One million cheap specs, from memory to a finished table. */
async function throughput() {
  const orbit = await orbitModule();
  const out = join(scratch, "peer.parquet");
  const ours = runOurs("--specs", specs);
  const pool = runPeer(
    process.execPath,
    here("peers/fork-pool.mjs"),
    "--function",
    orbit,
    "--specs",
    specs,
    "--out",
    out,
  );
  const processes = runPython("process_pool.py", "--specs", specs, "--out", out);
  const dask = runPython("dask_peer.py", "--out", out);
  const rows = [ours, pool, processes, dask].filter(Boolean);
  table(
    ["", "specs", "specs/s", "scythe is", "target"],
    rows.map((row) => [
      row.peer,
      row.specs,
      row.specsPerSecond,
      `${(ours.specsPerSecond / row.specsPerSecond).toFixed(2)} ×`,
      row === dask ? "≥ 200 ×" : row === pool ? "≥ 0.2 ×" : row === ours ? "≥ 100,000 specs/s" : "",
    ]),
  );
  console.log(
    `\nscythe: allocation ${ours.allocateSeconds} s, run ${ours.runSeconds} s, peak of its main process ${ours.peakMiB} MiB`,
  );
}

/** The main process's peak must not grow with the specs. */
function memory() {
  const small = runOurs("--specs", 10_000);
  const large = runOurs("--specs", specs);
  table(
    ["specs", "peak MiB of the main process", "target"],
    [
      [small.specs, small.peakMiB, ""],
      [large.specs, large.peakMiB, `≤ 512, and ≤ ${small.peakMiB + 100}`],
    ],
  );
}

/** Tasks of known length on two slots, 24 to 96 s of them: what scheduling and starting cost. */
async function tasks() {
  const orbit = await orbitModule();
  const rows = [];
  for (const [ms, target] of [
    [1, 0.85],
    [10, 0.97],
    [100, 0.99],
  ]) {
    const count = { 1: 48_000, 10: 9_600, 100: 1_920 }[ms];
    const ours = runOurs("--specs", count, "--task-ms", ms);
    const out = join(scratch, "peer.parquet");
    const pool = runPeer(
      process.execPath,
      here("peers/fork-pool.mjs"),
      "--function",
      orbit,
      "--specs",
      count,
      "--task-ms",
      ms,
      "--out",
      out,
    );
    rows.push([`${ms} ms`, count, ours.seconds, pool.seconds, (pool.seconds / ours.seconds).toFixed(3), `≥ ${target}`]);
  }
  table(["task", "specs", "scythe s", "bare pool s", "throughput ÷ pool", "target"], rows);
}

function files() {
  const ours = runOurs("--specs", 100_000);
  table(["specs", "files in the run's folder", "target"], [[ours.specs, ours.files, "≤ 200"]]);
}

/** From the shell to the end of a run of ten specs, each time in a new process. */
function latency() {
  const seconds = Array.from({ length: 5 }, () => {
    const storage = mkdtempSync(join(scratch, "latency-"));
    const args = ["--grid", `mean_anomaly_deg=${Array.from({ length: 10 }, (_, i) => i).join(",")}`];
    for (const field of [
      "semi_major_axis_km=7000",
      "eccentricity=0.1",
      "inclination_deg=50",
      "raan_deg=0",
      "arg_perigee_deg=0",
    ]) {
      args.push("--set", field);
    }
    const begun = performance.now();
    const command = [here("../dist/cli/main.js"), "run", "orbital_scalars", "--json", "--storage", storage, ...args];
    const out = execFileSync(process.execPath, command, { cwd: here("project"), stdio: ["ignore", "pipe", "ignore"] });
    const seconds = (performance.now() - begun) / 1000;
    const { succeeded, failed } = JSON.parse(out);
    assert.deepEqual({ succeeded, failed }, { succeeded: 10, failed: 0 });
    return seconds;
  }).sort((a, b) => a - b);
  table(
    ["10 specs", "seconds, median of 5", "target"],
    [["scythe run, to its end", seconds[2].toFixed(2), "≤ 1.5 to the first result"]],
  );
}

/** Merging a run's parts beside one bare COPY of the same rows, 20 columns. */
function gather() {
  const storage = mkdtempSync(join(scratch, "gather-"));
  const rows = [specs, 3 * specs].map((n) => {
    const line = runPeer(process.execPath, here("gather.mjs"), "--storage", storage, "--specs", n);
    rmSync(storage, { recursive: true, force: true });
    return [n, line.gatherSeconds, line.bareSeconds, line.ofBare.toFixed(2), "≥ 0.5", line.peakMiB];
  });
  table(["rows", "gather s", "bare COPY s", "speed ÷ bare", "target", "peak MiB of the merging process"], rows);
}

/** Driving a run on of which 99 % are done: from the shell to the first new part. */
function resume() {
  const shapes = [[], ["--chunk-size", 500], ["--factor", 32, "--depth", 1]];
  const rows = shapes.map((shape) => {
    const storage = mkdtempSync(join(scratch, "resume-"));
    const line = runPeer(process.execPath, here("resume.mjs"), "--storage", storage, "--specs", specs, ...shape);
    rmSync(storage, { recursive: true, force: true });
    return [shape.join(" ") || "by default", line.parts, line.firstPartSeconds, "≤ 10"];
  });
  table(["run", "parts before", "s to the first new part", "target"], rows);
}

/** In a bucket of a real S3 server. */
function s3() {
  const line = runPeer(process.execPath, here("s3.mjs"));
  table(
    ["", "measured", "target"],
    [
      ["objects for 10,000 scalar specs", line.objectsFor10000Specs, "≤ 100"],
      ["artifacts of 1,000 specs that share 3 files", line.artifactsFor1000Specs, "3"],
      ["download of 1,000 files, 20 ms a request, ÷ sequential gets", `${line.timesFaster} ×`, "≥ 8 ×"],
    ],
  );
}

/** Specs from designs, and what their outputs say of the inputs. */
async function designs() {
  const { benchDesigns } = await import("./designs.mjs");
  for (const { head, rows } of await benchDesigns({ python: values.python, scratch })) {
    table(head, rows);
    console.log();
  }
}

/** The first run of a worker that has just registered with the Hatchet server that the environment names. */
function hatchet() {
  if (!process.env.HATCHET_CLIENT_TOKEN) {
    console.warn("SKIPPED: hatchet (no server: set HATCHET_CLIENT_TOKEN and HATCHET_CLIENT_HOST_PORT)");
    return;
  }
  const rows = [
    [10_000, 4_000],
    [100_000, 10_000],
  ].map(([count, target]) => {
    const storage = mkdtempSync(join(scratch, "hatchet-"));
    const line = runPeer(process.execPath, here("hatchet.mjs"), "--storage", storage, "--specs", count, "--worker");
    return [count, line.specsPerSecond, `≥ ${target.toLocaleString("en")}`];
  });
  table(["specs", "specs/s, first run of a worker", "target"], rows);
}

async function orbitModule() {
  const path = here("../examples/orbital-dynamics/orbit.ts");
  const { code } = await transformWithEsbuild(readFileSync(path, "utf8"), path);
  const out = join(scratch, "orbit.mjs");
  writeFileSync(out, code);
  return out;
}

function runOurs(...args) {
  const storage = mkdtempSync(join(scratch, "storage-"));
  const line = runPeer(process.execPath, here("ours.mjs"), "--storage", storage, ...args);
  rmSync(storage, { recursive: true, force: true });
  return line;
}

function runPython(script, ...args) {
  const found = spawnSync(values.python, ["-c", "import pandas, pyarrow, dask.distributed"], { stdio: "ignore" });
  if (found.status === 0) return runPeer(values.python, here(`peers/${script}`), ...args);
  console.warn(`SKIPPED: ${script} (no pandas, pyarrow and dask in ${values.python}; give --python)`);
  return undefined;
}

function runPeer(command, ...args) {
  return JSON.parse(
    execFileSync(command, args.map(String), { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] }),
  );
}

function table(head, rows) {
  const cells = [head, head.map(() => "---"), ...rows].map((row) =>
    row.map((cell) => (typeof cell === "number" ? cell.toLocaleString("en") : cell)),
  );
  for (const row of cells) console.log(`| ${row.join(" | ")} |`);
}
