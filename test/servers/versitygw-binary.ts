import { execFile, execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";

const MODULE = "github.com/versity/versitygw/cmd/versitygw@v1.8.0";
const INSTALL_MS = 10 * 60_000;

/**
 * The path of `versitygw`: SCYTHE_TEST_VERSITYGW, or the user's cache, where it is installed with Go at the first need.
 * @returns undefined, with a loud word on why, when it can be had in no way
 */
export async function versitygwBinary(): Promise<string | undefined> {
  const given = process.env.SCYTHE_TEST_VERSITYGW;
  if (given) {
    if (existsSync(given)) return given;
    throw new Error(`SCYTHE_TEST_VERSITYGW names ${given}, which is not there`);
  }
  const folder = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "scythe-ci", "bin");
  const path = join(folder, "versitygw");
  if (existsSync(path)) return path;
  if (!hasGo()) return skip("neither versitygw nor Go is here");
  await mkdir(folder, { recursive: true });
  try {
    await underLock(join(folder, "versitygw.lock"), () => (existsSync(path) ? undefined : install(folder, path)));
    return path;
  } catch (error) {
    return skip(`go install ${MODULE} failed: ${(error as Error).message}`);
  }
}

function skip(reason: string): undefined {
  console.warn(`\n*** SKIPPED: tests against a real S3 server. ${reason}.`);
  console.warn(`*** Install Go, or set SCYTHE_TEST_VERSITYGW to a versitygw binary (${MODULE}).\n`);
  return undefined;
}

function hasGo(): boolean {
  try {
    execFileSync("go", ["version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

async function install(folder: string, path: string): Promise<void> {
  const built = await mkdtemp(join(folder, "build-"));
  try {
    console.warn(`Installing ${MODULE} (once; takes a minute or two) …`);
    const env = { ...process.env, GOBIN: built, CGO_ENABLED: "0" };
    await promisify(execFile)("go", ["install", MODULE], { env, timeout: INSTALL_MS, maxBuffer: 64 * 1024 * 1024 });
    await rename(join(built, "versitygw"), path);
  } finally {
    await rm(built, { recursive: true, force: true });
  }
}

/** A file that holds its owner's process id; one whose owner is dead does not count. */
async function underLock(lock: string, work: () => Promise<void> | undefined): Promise<void> {
  const deadline = Date.now() + INSTALL_MS;
  while (
    !(await writeFile(lock, String(process.pid), { flag: "wx" })
      .then(() => true)
      .catch(() => false))
  ) {
    if (Date.now() > deadline) throw new Error(`another process has held ${lock} for too long`);
    if (await isAbandoned(lock)) await rm(lock, { force: true });
    else await sleep(500);
  }
  try {
    await work();
  } finally {
    await rm(lock, { force: true });
  }
}

async function isAbandoned(lock: string): Promise<boolean> {
  try {
    const owner = Number(await readFile(lock, "utf8"));
    const { mtimeMs } = await stat(lock);
    if (!owner) return Date.now() - mtimeMs > 10_000;
    process.kill(owner, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH";
  }
}
