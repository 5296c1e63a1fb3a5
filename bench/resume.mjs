/**
 * A run of a million specs of which 99 % are done is driven on by `scythe resume`: seconds until the first new part lies
 * in storage, from the start of the process, and the processor's seconds of it. One line of JSON.
 *
 * node bench/resume.mjs --storage <folder> [--specs 1000000] [--chunk-size N] [--factor F --depth D]
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { openProject } from "scythe-ts";
import { seal } from "../dist/run/seal.js";
import { generateSpecs } from "./peers/spec-generator.mjs";

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
await run.result();
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
while (parts().length <= done.parts) {
  if (child.exitCode !== null) throw new Error("the run was not driven on");
  await sleep(2);
}
const first = performance.now();
const cpuSeconds = cpuOf(child.pid);
await ended;
const { succeeded, failed } = JSON.parse(out);
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

/** Takes back the end of a complete run: its report, its tables, what nodes gathered, and the last percent of its parts. */
function undo() {
  rmSync(join(folder, "report.yml"));
  rmSync(join(folder, "final"), { recursive: true });
  let left = Math.ceil(count / 100);
  for (const path of parts().reverse()) {
    if (left <= 0) break;
    left -= sizeOf(path);
    rmSync(path);
  }
  for (const path of files().filter((name) => name.includes("/gathered/") && name.endsWith(".pq"))) rmSync(path);
  const state = join(folder, "state.yml");
  const text = readFileSync(state, "utf8").replace(/^#.*\n/, "");
  writeFileSync(state, seal(text.replace("status: complete", "status: cancelled")));
  return { parts: parts().length, specs: parts().reduce((sum, path) => sum + sizeOf(path), 0) };
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

function files() {
  const output = join(folder, "scatter-gather/output");
  return readdirSync(output, { recursive: true }).map((name) => join(output, name));
}

function parts() {
  return files()
    .filter((path) => /\/parts\/.*\.pq$/.test(path))
    .sort();
}

function sizeOf(path) {
  const [, from, to] = /g\d+-(\d+)-(\d+)\./.exec(path);
  return Number(to) - Number(from);
}
