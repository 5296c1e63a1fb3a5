import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { packageVersion } from "../package.ts";
import { NO_WINDOW } from "../platform/processes.ts";

/** The code and environment that made a run. Never environment variables: they hold secrets. */
export interface Environment {
  scythe: string;
  node: string;
  platform: string;
  git_commit: string | null;
  /** True when the work tree had uncommitted changes. */
  git_dirty: boolean | null;
  lockfile_sha256: string | null;
  packages: Record<string, string>;
}

/** Describes the project in `folder`; what cannot be found is null. */
export async function captureEnvironment(folder: string): Promise<Environment> {
  const [commit, changes, lockfile, packages] = await Promise.all([
    git(folder, "rev-parse", "HEAD"),
    git(folder, "status", "--porcelain"),
    lockfileHash(folder),
    packageVersions(folder),
  ]);
  return {
    scythe: packageVersion(),
    node: process.version,
    platform: `${process.platform}-${process.arch}`,
    git_commit: commit,
    git_dirty: changes === null ? null : changes !== "",
    lockfile_sha256: lockfile,
    packages,
  };
}

async function git(folder: string, ...args: string[]): Promise<string | null> {
  try {
    const { stdout } = await promisify(execFile)("git", args, { cwd: folder, timeout: 5_000, ...NO_WINDOW });
    return stdout.trim();
  } catch {
    return null; // no git, no repository, or no commit yet
  }
}

const LOCKFILES = ["package-lock.json", "pnpm-lock.yaml", "yarn.lock", "bun.lock"];

async function lockfileHash(folder: string): Promise<string | null> {
  const found = await nearest(folder, LOCKFILES);
  return found && createHash("sha256").update(found.content).digest("hex");
}

/** Installed versions of the project's direct dependencies. */
async function packageVersions(folder: string): Promise<Record<string, string>> {
  const found = await nearest(folder, ["package.json"]);
  if (!found) return {};
  const require = createRequire(found.path);
  const named = manifestOf(found.content);
  const names = Object.keys({ ...named.dependencies, ...named.peerDependencies }).sort();
  const versions = await Promise.all(names.map(async (name) => [name, await installedVersion(require, name)] as const));
  return Object.fromEntries(versions.filter((entry): entry is [string, string] => entry[1] !== undefined));
}

/** Searches the folders that Node would: many packages do not export their package.json. */
async function installedVersion(require: NodeJS.Require, name: string): Promise<string | undefined> {
  for (const folder of require.resolve.paths(name) ?? []) {
    const content = await readFile(join(folder, name, "package.json")).catch(() => undefined);
    if (content) return manifestOf(content).version;
  }
  return undefined; // not installed
}

interface PackageJson {
  version?: string;
  dependencies?: Record<string, string>;
  peerDependencies?: Record<string, string>;
}

function manifestOf(packageJson: Buffer): PackageJson {
  try {
    return JSON.parse(packageJson.toString());
  } catch {
    return {}; // an invalid package.json is not our concern
  }
}

async function nearest(folder: string, names: readonly string[]): Promise<{ path: string; content: Buffer } | null> {
  for (let at = folder; ; at = dirname(at)) {
    for (const name of names) {
      const path = join(at, name);
      const content = await readFile(path).catch(() => undefined);
      if (content) return { path, content };
    }
    if (at === dirname(at)) return null;
  }
}
