/** A complete run in a folder as it was before its end, to measure the way there again. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { addChecksum, withoutChecksum } from "../dist/run/checksum.js";

/**
 * Takes back what the end of a run made: its report, its tables, what its nodes gathered. Its parts stay.
 * @param {string} folder of the run
 * @param {string} status that the run has then
 */
export function takeBackTheEnd(folder, status) {
  rmSync(join(folder, "report.yml"), { force: true });
  rmSync(join(folder, "output_artifacts.pq"), { force: true });
  rmSync(join(folder, "final"), { recursive: true, force: true });
  for (const path of outputFiles(folder).filter((name) => name.includes("/gathered/") && name.endsWith(".pq"))) {
    rmSync(path);
  }
  const path = join(folder, "state.yml");
  const state = parse(withoutChecksum(readFileSync(path, "utf8")));
  writeFileSync(path, addChecksum(stringify({ ...state, status, final_attempt: null })));
  assert(!existsSync(join(folder, "final")) && partsOf(folder).length > 0, `${folder} still has its end, or no parts`);
}

/** Files of the run's parts, sorted by the specs they hold. */
export function partsOf(folder) {
  return outputFiles(folder)
    .filter((path) => /\/parts\/.*\.pq$/.test(path))
    .sort();
}

/** How many specs a part holds, as its name says. */
export function specsOfPart(path) {
  const [, from, to] = /g\d+-(\d+)-(\d+)\./.exec(path);
  return Number(to) - Number(from);
}

/** The epoch of whoever drove the run last. */
export function epochOf(folder) {
  return parse(withoutChecksum(readFileSync(join(folder, "state.yml"), "utf8"))).epoch;
}

function outputFiles(folder) {
  const output = join(folder, "scatter-gather/output");
  return readdirSync(output, { recursive: true }).map((name) => join(output, name));
}
