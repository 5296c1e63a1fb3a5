/**
 * Designs beside SciPy and SALib: specs written as Parquet, optimised Latin hypercubes, Sobol' indices. That both did the
 * same work is asserted before a number is printed.
 *
 * node bench/main.mjs designs --python <python with scipy, pandas, pyarrow, SALib>
 */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { stat } from "node:fs/promises";
import { loadavg } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { centredDiscrepancy, Design, defineExperiment, latinHypercube, planDesign } from "scythe-ts";
import { z } from "zod";
import { DesignSpecs } from "../dist/allocate/design-specs.js";
import { benchSensitivity } from "./designs-sensitivity.mjs";

const PEER = fileURLToPath(new URL("peers/scipy_designs.py", import.meta.url));
const ROUNDS = 3;

/** @returns tables, each `{ head, rows }` */
export async function benchDesigns({ python, scratch }) {
  const peers = spawnSync(python, ["-c", "import scipy, pandas, pyarrow, SALib"], { stdio: "ignore" }).status === 0;
  if (!peers)
    console.warn(`SKIPPED: SciPy and SALib (no scipy, pandas, pyarrow and SALib in ${python}; give --python)`);
  const peer = peers
    ? (...args) => JSON.parse(execFileSync(python, [PEER, ...args.map(String)], { encoding: "utf8" }))
    : undefined;
  const tables = [await written(peer, scratch), await latin(peer, scratch), indices(peers ? python : undefined)];
  console.log(
    `load ${loadavg()
      .map((load) => load.toFixed(1))
      .join(", ")}\n`,
  );
  return tables;
}

/** 1,000,000 × 10 as Parquet, the fsync included that SciPy's side does not do. */
async function written(peer, scratch) {
  const [points, dimensions] = [1_000_000, 10];
  const rows = [];
  for (const scramble of ["none", "owen"]) {
    const specs = sobolSpecs(points, dimensions, scramble);
    const [out, theirs] = [join(scratch, "ours.parquet"), join(scratch, "peer.parquet")];
    const rounds = [];
    for (let round = 0; round < ROUNDS; round++) {
      rounds.push(await measured(async () => assert.equal(await specs.writeTo(out, { overwrite: true }), points)));
    }
    const ours = medians(rounds);
    assert.ok((await stat(out)).size > 8 * points * dimensions);
    const name = `Sobol' ${scramble === "none" ? "unscrambled" : "scrambled"}`;
    if (!peer) {
      rows.push([name, ...compared(ours), "≥ 2 ×"]);
      continue;
    }
    const options = ["--points", points, "--dimensions", dimensions, "--rounds", ROUNDS, "--out", theirs];
    const scipy = peer("sobol", ...options, ...(scramble === "owen" ? ["--scramble"] : []));
    const found = peer("equal", "--ours", out, "--out", theirs);
    assert.deepEqual(found.shapes, [
      [points, dimensions],
      [points, dimensions],
    ]);
    assert.ok(found.within, "values beyond their bounds");
    if (scramble === "none") assert.ok(found.same, "other points than SciPy's");
    rows.push([name, ...compared(ours, scipy), "≥ 2 ×"]);
  }
  return { head: [`${points.toLocaleString("en")} × ${dimensions} to Parquet`, ...COMPARED, "target"], rows };
}

function sobolSpecs(points, dimensions, scramble) {
  const names = Array.from({ length: dimensions }, (_, j) => `x${j}`);
  const experiment = defineExperiment({
    name: "bench_designs",
    input: z.object(Object.fromEntries(names.map((name) => [name, z.number()]))),
    output: z.object({ y: z.number() }),
    run: () => ({ y: 0 }),
  });
  const space = names.map((name, j) => ({ name, type: "number", distribution: `uniform:${j},${2 * j + 1}` }));
  const description = planDesign({ design: "sobol", n: points, seed: 7, options: { scramble }, space });
  return new DesignSpecs(experiment, new Design(description), [], { folder: ".", trusted: true });
}

/** 200 × 8, a median of ten seeds. */
async function latin(peer, scratch) {
  const [points, dimensions, seeds] = [200, 8, 10];
  const rounds = [];
  const discrepancies = [];
  const all = new Float64Array(seeds * points * dimensions);
  for (let seed = 0; seed < seeds; seed++) {
    const columns = Array.from({ length: dimensions }, () => new Float64Array(points));
    const fill = () => latinHypercube(points, dimensions, { seed, optimise: "discrepancy" }).fill(columns, 0);
    rounds.push(await measured(fill));
    discrepancies.push(centredDiscrepancy(columns));
    for (const [j, column] of columns.entries()) {
      assert.equal(new Set(column.map((u) => Math.floor(u * points))).size, points, "not one point in every stratum");
      for (let i = 0; i < points; i++) all[(seed * points + i) * dimensions + j] = column[i];
    }
  }
  const ours = medians(rounds);
  const head = [`optimised Latin hypercube ${points} × ${dimensions}`, "discrepancy", ...COMPARED, "target"];
  const discrepancy = median(discrepancies);
  if (!peer) return { head, rows: [["", discrepancy.toFixed(5), ...compared(ours), ""]] };
  const file = join(scratch, "latin.f64");
  writeFileSync(file, all);
  const scipy = peer("latin", "--points", points, "--dimensions", dimensions, "--seeds", seeds, "--ours", file);
  for (const [i, own] of discrepancies.entries())
    assert.ok(Math.abs(own - scipy.ours[i]) < 1e-12, "another discrepancy");
  const both = `${discrepancy.toFixed(5)}, SciPy's ${median(scipy.discrepancies).toFixed(5)}`;
  return { head, rows: [["random-cd", both, ...compared(ours, scipy), "no worse"]] };
}

/** SALib holds all resamples at once, so that it is measured at a size that it does in some seconds; ours also in full. */
function indices(python) {
  const rows = [
    [4096, 100],
    [4096, 1000],
    [100_000, 1000],
  ].map(([points, resamples]) => {
    const size = `${points.toLocaleString("en")} × 18 rows, ${resamples.toLocaleString("en")} resamples`;
    const [ours, salib] = benchSensitivity({ points, resamples, python: points === 4096 ? python : undefined });
    return [size, ...compared(ours, salib), "≥ 2 ×"];
  });
  return { head: ["Sobol' indices of 8 inputs", ...COMPARED, "target"], rows };
}

const COMPARED = ["scythe s (CPU-s)", "peer s (CPU-s)", "scythe is, by CPU-s", "by wall"];

function compared(ours, theirs) {
  if (!theirs) return [shown(ours), "", "", ""];
  const times = (of) => `${(theirs[of] / ours[of]).toFixed(1)} ×`;
  return [shown(ours), shown(theirs), times("cpuSeconds"), times("seconds")];
}

function shown({ seconds, cpuSeconds }) {
  return `${seconds.toFixed(2)} (${cpuSeconds.toFixed(2)})`;
}

/** Seconds of a piece of work, and those of the processor, which say more on a machine that is shared. */
async function measured(work) {
  const [begun, used] = [performance.now(), process.cpuUsage()];
  await work();
  const { user, system } = process.cpuUsage(used);
  return { seconds: (performance.now() - begun) / 1000, cpuSeconds: (user + system) / 1e6 };
}

function medians(rounds) {
  return { seconds: median(rounds.map((r) => r.seconds)), cpuSeconds: median(rounds.map((r) => r.cpuSeconds)) };
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length / 2;
  return (sorted[Math.ceil(half) - 1] + sorted[Math.floor(half)]) / 2;
}
