/**
 * Edits that take an important line away, each of which a test must notice: test/mutants/<area>.json lists them.
 *
 * npm run test:mutants -- [--area fences] [--only id] [--minutes 10] [--check]
 * Works on a copy of the checkout, one edit at a time; a survivor is an edit that no test noticed, and the exit code is 1.
 * --check only looks whether each edit still fits the source and its tests exist. --minutes bounds one run of tests.
 */
import { spawn, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const root = fileURLToPath(new URL("..", import.meta.url));
const { values: options } = parseArgs({
  options: {
    area: { type: "string" },
    only: { type: "string" },
    minutes: { type: "string", default: "10" },
    check: { type: "boolean" },
  },
});

/** How the tests of a mutant end without its edit. */
const calm = new Map();
const mutants = readMutants();
const wrong = mutants.flatMap((mutant) => mistakesIn(mutant).map((mistake) => `${mutant.area}/${mutant.id}: ${mistake}`));
if (mutants.length === 0) wrong.push("no mutant has that id, or is in that area");
if (wrong.length > 0) {
  console.error(wrong.join("\n"));
  process.exit(1);
}
if (!options.check) process.exitCode = (await tryAll()) ? 0 : 1;

/** Of all areas, or those that were asked for. */
function readMutants() {
  const folder = join(root, "test", "mutants");
  const names = readdirSync(folder).filter((name) => name.endsWith(".json"));
  const all = names.sort().flatMap((name) => {
    const area = basename(name, ".json");
    return JSON.parse(readFileSync(join(folder, name), "utf8")).map((mutant) => ({ ...mutant, area }));
  });
  return all.filter(({ area, id }) => (options.area ?? area) === area && (options.only ?? id) === id);
}

/** @returns what keeps the edit from being tried, in words */
function mistakesIn({ id, area, why, file, find, replace, tests }) {
  if (!id || !why || !file || !find || typeof replace !== "string" || !(tests?.length > 0)) {
    return ["it needs id, why, file, find, replace and tests"];
  }
  const mistakes = [];
  if (mutants.filter((other) => other.id === id && other.area === area).length > 1) mistakes.push("its id is used twice");
  const path = join(root, file);
  const times = existsSync(path) ? readFileSync(path, "utf8").split(find).length - 1 : undefined;
  if (times === undefined) mistakes.push(`there is no ${file}`);
  else if (times !== 1) mistakes.push(`its text to find is ${times} times in ${file}, not once`);
  if (find === replace) mistakes.push("it changes nothing");
  for (const test of tests) if (!existsSync(join(root, test))) mistakes.push(`there is no ${test}`);
  return mistakes;
}

async function tryAll() {
  // else the tests' own setup would install packages in the copy: it would empty the folder that this checkout shares with it
  const { status } = spawnSync(process.execPath, [join(root, "scripts", "setup.mjs")], { stdio: "inherit" });
  if (status !== 0) throw new Error("the checkout could not be made ready");
  const folder = mkdtempSync(join(tmpdir(), "scythe-mutants-"));
  const remove = () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  process.once("exit", remove);
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(130)); // `exit` cleans up
  const copy = copyCheckout(folder);
  build(copy);
  const outcomes = [];
  for (const mutant of mutants) {
    const begun = performance.now();
    const outcome = await tryOne(copy, mutant);
    const seconds = Math.round((performance.now() - begun) / 1000);
    outcomes.push({ ...mutant, outcome, seconds });
    console.log(`${mutant.area}/${mutant.id}: ${outcome} (${seconds} s)`);
  }
  printTable(outcomes);
  return outcomes.every(({ outcome }) => outcome.startsWith("killed"));
}

/** What git knows or would know of the checkout, as it is now; packages are shared, and only read. */
function copyCheckout(folder) {
  const copy = join(folder, "checkout");
  const { stdout } = spawnSync("git", ["ls-files", "-coz", "--exclude-standard"], { cwd: root, encoding: "utf8" });
  for (const name of stdout.split("\0").filter((name) => name && existsSync(join(root, name)))) {
    mkdirSync(dirname(join(copy, name)), { recursive: true });
    cpSync(join(root, name), join(copy, name), { preserveTimestamps: true });
  }
  symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
  return copy;
}

/** Types are not checked: an edit may well leave an import that is used no more. */
function build(copy) {
  const tsc = join(copy, "node_modules", "typescript", "bin", "tsc");
  const args = [tsc, "-p", "tsconfig.build.json", "--noCheck"];
  const { status, stdout } = spawnSync(process.execPath, args, { cwd: copy, encoding: "utf8" });
  if (status !== 0) throw new Error(`the copy cannot be built:\n${stdout}`);
  writeFileSync(join(copy, "dist", ".built"), ""); // so that the tests' own setup finds nothing to do
}

async function tryOne(copy, mutant) {
  const { file, find, replace, tests, name } = mutant;
  const asked = JSON.stringify([tests, name]);
  if (!calm.has(asked)) calm.set(asked, await runTests(copy, mutant));
  if (calm.get(asked) !== "passed") return `BROKEN: without the edit its tests have ${calm.get(asked)}`;
  const path = join(copy, file);
  const source = readFileSync(path, "utf8");
  try {
    writeFileSync(path, source.replace(find, () => replace));
    build(copy);
    const outcome = await runTests(copy, mutant);
    if (outcome === "passed") return "SURVIVED";
    return outcome === "failed" ? "killed" : outcome === "not ended" ? "killed, by time" : `BROKEN: its tests have ${outcome}`;
  } catch (error) {
    return `BROKEN: ${error.message}`;
  } finally {
    writeFileSync(path, source);
    build(copy);
  }
}

/** @returns "passed", "failed", "not run" or "not ended" */
async function runTests(copy, { tests, name }) {
  const report = join(dirname(copy), "report.json");
  rmSync(report, { force: true });
  const vitest = join(copy, "node_modules", "vitest", "vitest.mjs");
  const args = [vitest, "run", ...tests, "--typecheck.enabled=false", "--reporter=json", `--outputFile=${report}`];
  if (name) args.push("-t", name);
  const env = { ...process.env, SCYTHE_FAULT_FORM: "full" }; // all cases of a family, not a few
  const child = spawn(process.execPath, args, { cwd: copy, env, stdio: "ignore", detached: true });
  const endGroup = () => {
    try {
      process.kill(-child.pid, "SIGKILL");
    } catch {
      // it has ended
    }
  };
  process.once("exit", endGroup);
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    endGroup();
  }, Number(options.minutes) * 60_000);
  await new Promise((resolve) => child.once("close", resolve));
  clearTimeout(timer);
  endGroup(); // what its tests have left running
  process.off("exit", endGroup);
  if (late) return "not ended";
  if (!existsSync(report)) return "not run";
  const { numPassedTests, numFailedTests, success } = JSON.parse(readFileSync(report, "utf8"));
  if (numFailedTests > 0) return "failed";
  if (!success) return "failed"; // a file that cannot be loaded, or an error that no test caught
  return numPassedTests > 0 ? "passed" : "not run";
}

function printTable(outcomes) {
  console.log("\n| area | edit | outcome | what is lost without the line |\n|---|---|---|---|");
  for (const { area, id, outcome, why } of outcomes) {
    console.log(`| ${area} | ${id} | ${outcome.split("\n")[0]} | ${why} |`);
  }
  const killed = outcomes.filter(({ outcome }) => outcome.startsWith("killed")).length;
  console.log(`\n${killed} of ${outcomes.length} killed`);
}
