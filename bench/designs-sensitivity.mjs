/**
 * Sobol' indices of one output with bootstrap intervals, beside SALib on the same numbers: first-order, total and
 * second-order of eight inputs. Both must have the same indices before a time is printed.
 *
 * node bench/designs-sensitivity.mjs [--points 100000] [--resamples 1000] [--python <python with SALib>]
 *
 * SALib holds every resample at once: 100,000 points × 1,000 resamples take it some 8 GB.
 */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { randomFrom } from "scythe-ts";
import { sobolIndices } from "../dist/analysis/sobol-indices.js";

/** Sobol's g function of eight inputs. */
const A = [0, 1, 4.5, 9, 99, 99, 99, 99];
const ROWS = 2 * A.length + 2;

/** @returns a line for each that was measured: `peer`, `points`, `resamples`, `seconds`, `cpuSeconds`, `peakMiB`; without `python`, ours */
export function benchSensitivity({ points, resamples, python }) {
  const output = crossedOutputs(points);
  const [begun, used] = [performance.now(), process.cpuUsage()];
  const [found] = sobolIndices([output], { dimensions: A.length, secondOrder: true }, { resamples });
  const seconds = (performance.now() - begun) / 1000;
  const { user, system } = process.cpuUsage(used);
  const cpuSeconds = (user + system) / 1e6;
  const ours = {
    peer: "scythe",
    points,
    resamples,
    seconds,
    cpuSeconds,
    peakMiB: process.resourceUsage().maxRSS / 1024,
  };
  const theirs = python && salib(python, output, resamples);
  if (!theirs) return [ours];
  assertSame(found, theirs.indices, resamples);
  return [ours, { peer: theirs.peer, points, resamples, seconds: theirs.seconds, cpuSeconds: theirs.cpuSeconds }];
}

/** Of random base points, in Saltelli's order. */
function crossedOutputs(points) {
  const random = randomFrom(1, 1);
  const output = new Float64Array(points * ROWS);
  const d = A.length;
  const [a, b] = [new Float64Array(d), new Float64Array(d)];
  for (let i = 0; i < points; i++) {
    for (let j = 0; j < d; j++) [a[j], b[j]] = [random(), random()];
    for (let row = 0; row < ROWS; row++) output[i * ROWS + row] = g((j) => (isB(row, j) ? b[j] : a[j]));
  }
  return output;
}

function isB(row, input) {
  if (row === 0 || row === ROWS - 1) return row > 0;
  return row <= A.length ? row - 1 === input : row - 1 - A.length !== input;
}

function g(input) {
  return A.reduce((product, own, j) => (product * (Math.abs(4 * input(j) - 2) + own)) / (1 + own), 1);
}

function salib(python, output, resamples) {
  if (spawnSync(python, ["-c", "import SALib"], { stdio: "ignore" }).status !== 0) {
    console.warn(`SKIPPED: SALib (not in ${python}; give --python)`);
    return undefined;
  }
  const folder = mkdtempSync(join(tmpdir(), "scythe-bench-salib-"));
  try {
    const file = join(folder, "output.f64");
    writeFileSync(file, output);
    const script = fileURLToPath(new URL("peers/salib_sobol.py", import.meta.url));
    const options = ["--output", file, "--dimensions", A.length, "--resamples", resamples].map(String);
    return JSON.parse(execFileSync(python, [script, ...options], { encoding: "utf8" }));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Indices to 1e-10; intervals, which depend on the random numbers, to what their number allows. */
function assertSame(ours, theirs, resamples) {
  const all = { S1: ours.first, ST: ours.total, S2: ours.second };
  const widths = { S1: ours.firstHalfWidth, ST: ours.totalHalfWidth, S2: ours.secondHalfWidth };
  for (const [name, values] of Object.entries(all)) {
    assert.equal(values.length, theirs[name].length);
    for (const [i, value] of values.entries()) {
      assert.ok(Math.abs(value - theirs[name][i]) < 1e-10, `${name} ${i}: ${value}, SALib has ${theirs[name][i]}`);
      const [width, conf] = [widths[name][i], theirs[`${name}_conf`][i]];
      assert.ok(Math.abs(width / conf - 1) < 5 / Math.sqrt(resamples), `${name} ${i}: ± ${width}, SALib has ± ${conf}`);
    }
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({
    options: {
      points: { type: "string", default: "100000" },
      resamples: { type: "string", default: "1000" },
      python: { type: "string", default: "python3" },
    },
  });
  const [ours, theirs] = benchSensitivity({
    points: Number(values.points),
    resamples: Number(values.resamples),
    python: values.python,
  });
  console.log(
    `| ${A.length} inputs, ${ours.points} × ${ROWS} rows, ${ours.resamples} resamples | seconds | scythe is | target |`,
  );
  console.log("| --- | --- | --- | --- |");
  console.log(`| scythe | ${ours.seconds.toFixed(2)} | | |`);
  if (theirs) {
    const times = (theirs.seconds / ours.seconds).toFixed(1);
    console.log(`| ${theirs.peer} | ${theirs.seconds.toFixed(2)} | ${times} × | ≥ 2 × |`);
  }
  console.log(`\nscythe's peak: ${Math.round(ours.peakMiB)} MiB`);
}
