import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const MAIN = join(ROOT, "dist", "cli", "main.js");

export interface Ended {
  code: number | null;
  out: string;
  err: string;
}

export interface CliProject {
  /** The project; its parent is for whatever else a test needs, and goes with it. */
  folder: string;
  root: string;
  scythe(...args: string[]): Promise<Ended>;
  /** @param where its working directory */
  start(args: string[], where?: string, env?: NodeJS.ProcessEnv): ChildProcess & { ended: Promise<Ended> };
  /** stdout as JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look at what they expect
  json(...args: string[]): Promise<any>;
  remove(): void;
}

/** A project of its own in a temporary folder, and the built command line in it. */
export function cliProject(config: string): CliProject {
  const root = mkdtempSync(join(tmpdir(), "scythe-cli-project-"));
  const folder = join(root, "project");
  mkdirSync(join(folder, "node_modules"), { recursive: true });
  symlinkSync(ROOT, join(folder, "node_modules", "scythe-ts"), "dir");
  symlinkSync(join(ROOT, "node_modules", "zod"), join(folder, "node_modules", "zod"), "dir");
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  writeFileSync(join(folder, "scythe.config.ts"), config);
  const start = (args: string[], where = folder, own: NodeJS.ProcessEnv = {}) => {
    const env = { ...process.env, NO_COLOR: undefined, FORCE_COLOR: undefined, SCYTHE_DEBUG: undefined, TMPDIR: root };
    const child = spawn(process.execPath, [MAIN, ...args], {
      cwd: where,
      env: { ...env, ...own },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const said = { out: "", err: "" };
    child.stdout.setEncoding("utf8").on("data", (text) => {
      said.out += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text) => {
      said.err += text;
    });
    const ended = once(child, "close").then(([code]) => ({ code: code as number | null, ...said }));
    return Object.assign(child, { ended });
  };
  const scythe = (...args: string[]) => start(args).ended;
  return {
    ...{ folder, root, scythe, start },
    json: async (...args) => JSON.parse((await scythe(...args)).out),
    remove: () => rmSync(root, { recursive: true, force: true, maxRetries: 3 }),
  };
}
