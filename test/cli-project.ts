import type { ChildProcess } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type CliOptions, type Ended, runCli, type SpawnOptions, spawnCli } from "./cli.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

export interface CliProject {
  /** The project; its parent is for whatever else a test needs, and goes with it. */
  folder: string;
  root: string;
  /** The command line in this process. */
  scythe(...args: string[]): Promise<Ended>;
  /** The same in another working directory, or with more in its environment. */
  scytheWith(options: CliOptions, ...args: string[]): Promise<Ended>;
  /** The command line in a process of its own. */
  start(args: readonly string[], options?: SpawnOptions): ChildProcess & { ended: Promise<Ended> };
  /** What it prints as JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look at what they expect
  json(...args: string[]): Promise<any>;
  remove(): void;
}

/** A project of its own in a temporary folder, and the built command line in it. */
export function cliProject(config: string): CliProject {
  const root = mkdtempSync(join(tmpdir(), "scythe-cli-project-"));
  const folder = join(root, "project");
  makeProject(folder, config);
  const env = { TMPDIR: root };
  const scytheWith = (options: CliOptions, ...args: string[]) =>
    runCli(args, { cwd: folder, ...options, env: { ...env, ...options.env } });
  const scythe = (...args: string[]) => scytheWith({}, ...args);
  return {
    ...{ folder, root, scythe, scytheWith },
    start: (args, options = {}) => spawnCli(args, { cwd: folder, ...options, env: { ...env, ...options.env } }),
    json: async (...args) => JSON.parse((await scythe(...args, "--json")).out),
    remove: () => rmSync(root, { recursive: true, force: true, maxRetries: 3 }),
  };
}

/** A folder with a config file, ready for the command line. */
export function makeProject(folder: string, config: string): void {
  mkdirSync(folder, { recursive: true });
  install(folder);
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  writeFileSync(join(folder, "scythe.config.ts"), config);
}

/** What `npm install` would bring. */
export function install(folder: string): void {
  mkdirSync(join(folder, "node_modules"));
  symlinkSync(ROOT, join(folder, "node_modules", "scythe-ts"), "dir");
  for (const name of ["zod", "@types"]) {
    symlinkSync(join(ROOT, "node_modules", name), join(folder, "node_modules", name), "dir");
  }
}
