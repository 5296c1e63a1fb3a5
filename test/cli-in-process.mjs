import { createRequire } from "node:module";
import { sep } from "node:path";
import { fileURLToPath } from "node:url";
import { runCommandLine } from "../dist/cli/command-line.js";

// Plain JavaScript, so that vitest loads the built command line as Node.js does: one copy of each module, which is the
// one that a project's `scythe-ts` leads to, too.
const { cache } = createRequire(import.meta.url);
const MAIN = fileURLToPath(new URL("../dist/cli/main.js", import.meta.url));
const PACKAGES = `${sep}node_modules${sep}`;

/** @param {readonly string[]} args @returns {Promise<number>} the exit code */
export async function runInProcess(args) {
  for (const path of Object.keys(cache)) if (!path.includes(PACKAGES)) delete cache[path]; // the project may have changed
  const { argv } = process;
  process.argv = [process.execPath, MAIN, ...args]; // which a run's manifest keeps
  try {
    return await runCommandLine(process.argv);
  } finally {
    process.argv = argv;
  }
}
