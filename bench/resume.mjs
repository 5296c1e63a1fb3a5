/**
 * A run of a million specs of which 99 % are done is driven on by `scythe resume`: seconds until the first new part lies
 * in storage, from the start of the process, and the processor's seconds of it. One line of JSON.
 *
 * node bench/resume.mjs --storage <folder> [--specs 1000000] [--chunk-size N] [--factor F --depth D]
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, rmSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { openProject } from "scythe-ts";
import { assertAllSucceeded, assertTable, finalTable } from "./finished.mjs";
import { generateSpecs } from "./peers/spec-generator.mjs";
import { partsOf, specsOfPart, takeBackTheEnd } from "./unfinished.mjs";

const { values } = parseArgs({
  options: {
    storage: { type: "string" },
    specs: { type: "string", default: "1000000" },
    "chunk-size": { type: "string" },
    factor: { type: "string" },
    depth: { type: "string" },
  },
});
const count = Number(values.specs);
const project = fileURLToPath(new URL("./project", import.meta.url));
const recursion = values.factor ? { factor: Number(values.factor), maxDepth: Number(values.depth) } : undefined;

const scythe = await openProject(project, { storage: values.storage });
const run = await scythe.allocate("orbital_scalars", generateSpecs(count), {
  seed: 1,
  ...(values["chunk-size"] && { chunkSize: Number(values["chunk-size"]) }),
  ...(recursion && { recursion }),
});
assertAllSucceeded((await run.result()).report, count);
await scythe.close();
const folder = fileURLToPath(run.uri);
const done = undo();

const main = fileURLToPath(new URL("../dist/cli/main.js", import.meta.url));
const begun = performance.now();
const child = spawn(process.execPath, [main, "resume", run.experimentId, "--json", "--storage", values.storage], {
  cwd: project,
  stdio: ["ignore", "pipe", "inherit"],
});
let out = "";
child.stdout.setEncoding("utf8").on("data", (text) => {
  out += text;
});
const ended = once(child, "close");
while (partsOf(folder).length <= done.parts) {
  if (child.exitCode !== null) throw new Error("the run was not driven on");
  await sleep(2);
}
const first = performance.now();
const cpuSeconds = cpuOf(child.pid);
await ended;
const { succeeded, failed } = JSON.parse(out);
assert.deepEqual({ succeeded, failed }, { succeeded: count, failed: 0 });
assert(done.specs < count && done.specs >= 0.85 * count, `${done.specs} of ${count} specs had a part before`);
await assertTable(finalTable(folder), { rows: count, column: "period_min" });
console.log(
  JSON.stringify({
    specs: count,
    ...recursion,
    doneBefore: done.specs,
    parts: done.parts,
    cpuSeconds,
    firstPartSeconds: Number(((first - begun) / 1000).toFixed(3)),
    seconds: Number(((performance.now() - begun) / 1000).toFixed(3)),
    succeeded,
    failed,
  }),
);

/** Takes back the run's end and the last percent of its parts. */
function undo() {
  let left = Math.ceil(count / 100);
  for (const path of partsOf(folder).reverse()) {
    if (left <= 0) break;
    left -= specsOfPart(path);
    rmSync(path);
  }
  takeBackTheEnd(folder, "cancelled");
  const parts = partsOf(folder);
  return { parts: parts.length, specs: parts.reduce((sum, path) => sum + specsOfPart(path), 0) };
}

/** Seconds of processor that the coordinator has taken, as Linux tells it: on a busy machine they say more. */
function cpuOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const [user, system] = stat
      .slice(stat.lastIndexOf(")") + 2)
      .split(" ")
      .slice(11, 13);
    return (Number(user) + Number(system)) / 100;
  } catch {
    return undefined;
  }
}
