/**
 * Loaded into a process by `node --import`, before the program: numbers every step by which the program changes files
 * in the folders of FAULT_ROOTS, and kills the process with SIGKILL at one of them, or stops it there with SIGSTOP. The
 * program itself has no hook for it.
 *
 * FAULT_TRACE  a file that each step is written to: operation and kind of key, path, path that was linked or renamed
 * FAULT_KILL   JSON: { at, when: "before" | "half" | "after" }, with `kind` the at-th step of that kind, such as "link part"
 *              with `goOn`, the path of a file, it is stopped instead: woken by SIGCONT, it does the step once that file is there
 */
import { appendFileSync, closeSync, existsSync, openSync, readFileSync, writeFileSync, writeSync } from "node:fs";
import fs from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";

const roots = process.env.FAULT_ROOTS.split(":");
const trace = process.env.FAULT_TRACE;
const kill = process.env.FAULT_KILL ? JSON.parse(process.env.FAULT_KILL) : undefined;
for (const name of ["FAULT_ROOTS", "FAULT_TRACE", "FAULT_KILL"]) delete process.env[name];

const KINDS = [
  [/\.scythe-tmp\/locks\//, "lock"],
  [/\.scythe-tmp\//, "unfinished"],
  [/\.claim$/, "claim"],
  [/\/(state|manifest|report)\.yml$/, (match) => match[1]],
  [/\/scatter-gather\/input\/.*waves\//, "wave"],
  [/\/scatter-gather\/input\/.*specs[^/]*\.pq$/, "node-specs"],
  [/\/parts\/[^/]+\.pq$/, "part"],
  [/\/tables\/.+\.pq$/, "part-table"],
  [/\/gathered\/.+\.pq$/, "gathered"],
  [/\/scatter-gather\/events\//, "event"],
  [/\/final\//, "final"],
  [/\/(results|artifacts)\//, (match) => match[1]],
  [/\/specs\.pq$/, "specs"],
  [/\.ya?ml$/, "description"],
];

function kindOf(path) {
  for (const [pattern, kind] of KINDS) {
    const match = pattern.exec(path);
    if (match) return typeof kind === "string" ? kind : kind(match);
  }
  return "other";
}

let steps = 0;
const ofKind = new Map();

/** Does `act`, as a step; `half` leaves it half done. */
async function step(operation, path, act, { half, from = "" } = {}) {
  if (!roots.some((root) => String(path).startsWith(root))) return act();
  const kind = `${operation} ${kindOf(String(path))}`;
  steps++;
  ofKind.set(kind, (ofKind.get(kind) ?? 0) + 1);
  if (trace) appendFileSync(trace, `${kind}\t${path}\t${from}\n`);
  const reached = kill?.kind === undefined ? kill?.at === steps : kill.kind === kind && kill.at === ofKind.get(kind);
  if (!reached) return act();
  if (kill.goOn) {
    stopUntil(kill.goOn);
    return act();
  }
  if (kill.when === "after") await act();
  if (kill.when === "half") half?.();
  process.kill(process.pid, "SIGKILL");
  return new Promise(() => undefined);
}

/** Nothing of the process goes on meanwhile, however late the signal comes. */
function stopUntil(path) {
  writeFileSync(`${path}.reached`, String(process.pid));
  process.kill(process.pid, "SIGSTOP");
  while (!existsSync(path)) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
}

function writeHalf(path, body) {
  const bytes = Buffer.from(body);
  const fd = openSync(path, "w");
  writeSync(fd, bytes.subarray(0, bytes.length >> 1));
  closeSync(fd);
}

const { open, link, rename, copyFile, rm, unlink } = { ...fs };

fs.open = async (path, flags, ...rest) => {
  const handle = await open(path, flags, ...rest);
  const { writeFile, sync } = handle;
  const writes = flags === "wx" || flags === "r+";
  handle.writeFile = (body, ...options) =>
    step("write", path, () => writeFile.call(handle, body, ...options), { half: () => writeHalf(path, body) });
  handle.sync = () => step(writes ? "sync" : "sync-folder", path, () => sync.call(handle));
  return handle;
};
fs.link = (from, to) => step("link", to, () => link(from, to), { from });
fs.rename = (from, to) => step("rename", to, () => rename(from, to), { from });
fs.copyFile = (from, to, mode) =>
  step("copy", to, () => copyFile(from, to, mode), { half: () => writeHalf(to, readFileSync(from)) });
fs.rm = (path, options) => step("remove", path, () => rm(path, options));
fs.unlink = (path) => step("remove", path, () => unlink(path));
syncBuiltinESMExports();
