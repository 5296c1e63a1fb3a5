/**
 * Checks that orbital.py and the TypeScript function give the same results for the same specs, to 1e-9 of their size.
 *
 * node bench/peers/check-parity.mjs --function <module.js> [--export propagate] [--python python3] [--specs 20]
 */
import { execFileSync } from "node:child_process";
import { resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { generateSpecs } from "./spec-generator.mjs";

const TOLERANCE = 1e-9;
const { values: options } = parseArgs({
  options: {
    function: { type: "string" },
    export: { type: "string", default: "propagate" },
    python: { type: "string", default: "python3" },
    specs: { type: "string", default: "20" },
  },
});
if (!options.function) throw new Error("Give --function <module.js>.");

/** Largest difference of two positions or rates, against the size of the row's own vector or of the number. */
function difference(left, right) {
  const radius = Math.hypot(left.x_km, left.y_km, left.z_km);
  return Math.max(
    ...Object.keys(left).map((name) => Math.abs(left[name] - right[name]) / (name.endsWith("_km") ? radius : 1)),
  );
}

const run = (await import(pathToFileURL(resolve(options.function)).href))[options.export];
const script = fileURLToPath(new URL("orbital.py", import.meta.url));
const rows = JSON.parse(
  execFileSync(options.python, [script, "--specs", options.specs], { encoding: "utf8", maxBuffer: 2 ** 30 }),
);
const specs = [...generateSpecs(Number(options.specs))];
const sameSpecs = specs.every((spec, index) =>
  Object.keys(spec).every((name) => spec[name] === rows[index].spec[name]),
);
const largest = Math.max(...specs.map((spec, index) => difference(run(spec), rows[index].result)));
const ok = sameSpecs && rows.length === specs.length && largest < TOLERANCE;
console.log(JSON.stringify({ check: "parity", specs: specs.length, sameSpecs, largestDifference: largest, ok }));
process.exitCode = ok ? 0 : 1;
