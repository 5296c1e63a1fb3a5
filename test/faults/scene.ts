import type { ChildProcess } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { spawnCli } from "../cli.ts";
import { FULL } from "./seed.ts";

const KILLER = fileURLToPath(new URL("./kill-at.mjs", import.meta.url));
export const PROJECT = fileURLToPath(new URL("../fixtures/steady", import.meta.url));
/** No step of these small runs takes nearly as long: a process that does hangs. */
const PROCESS_MS = FULL ? 300_000 : 90_000;

export interface Plan {
  specs: number;
  /** Of each spec. */
  ms?: number;
  /** Of `scythe run`: chunks, tree, seed. */
  flags: readonly string[];
}

export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface Going {
  child: ChildProcess;
  ended: Promise<Ended>;
}

/** A change that a process made to its files. */
export interface Step {
  /** Such as `link part`. */
  kind: string;
  path: string;
  /** What was linked or renamed. */
  from: string;
}

export interface KillAt {
  /** Number of a step by which the process changes its files: of all, or of those of a kind. */
  at: number;
  /** Such as `link part`. */
  kind?: string;
  when: "before" | "half" | "after";
}

export interface SceneOptions {
  /** Another place than a folder of the scene. */
  storage?: string;
  /** Another folder for what is temporary. */
  tmp?: string;
  env?: NodeJS.ProcessEnv;
}

/** A place of its own for one run: storage, temporary folder, cache; and processes that can be told from all others. */
export class Scene {
  readonly folder = mkdtempSync(join(tmpdir(), "scythe-faults-"));
  readonly tag = randomUUID();
  readonly storage: string;
  readonly tmp: string;
  readonly cache = join(this.folder, "cache");
  readonly #env: NodeJS.ProcessEnv;

  constructor(options: SceneOptions = {}) {
    this.storage = options.storage ?? join(this.folder, "data");
    this.tmp = options.tmp ?? join(this.folder, "tmp");
    mkdirSync(this.tmp, { recursive: true });
    this.#env = { ...process.env, ...options.env, NO_COLOR: "1", SCYTHE_CACHE_DIR: this.cache, TMPDIR: this.tmp };
    this.#env.SCYTHE_FAULT_TAG = this.tag;
  }

  /** Starts the command line in a process. @param node arguments of Node.js itself, and environment */
  start(args: readonly string[], { node = [], env = {} }: { node?: readonly string[]; env?: NodeJS.ProcessEnv } = {}) {
    const options = { node, cwd: PROJECT, env: { ...this.#env, ...env } };
    const child = spawnCli([...args, "--storage", this.storage], options);
    return { child, ended: ending(child, args) };
  }

  /** {@link start} under the eyes of `kill-at.mjs`, which counts the process's steps and kills it at one, if asked. */
  watched(args: readonly string[], at?: KillAt, env: NodeJS.ProcessEnv = {}) {
    const trace = join(this.folder, `trace-${randomUUID()}`);
    const asked = at ? { FAULT_KILL: JSON.stringify(at) } : {};
    const going = this.start(args, {
      node: ["--import", KILLER],
      env: { ...env, ...asked, FAULT_ROOTS: [this.folder, this.storage, this.tmp].join(":"), FAULT_TRACE: trace },
    });
    return { ...going, steps: () => stepsIn(trace) };
  }

  /** Arguments that allocate and drive the plan's run. */
  runArgs(plan: Plan): string[] {
    const file = join(this.folder, "specs.json");
    if (!existsSync(file)) writeFileSync(file, JSON.stringify(this.specs(plan)));
    return ["run", "steady", "--specs", file, "--seed", "5", ...plan.flags];
  }

  specs(plan: Plan): Record<string, unknown>[] {
    return specsOf(plan, this.folder);
  }

  /** Runs whose manifest is in the (local) storage: those that were allocated whole. */
  runs(): string[] {
    const manifests = this.#stored().filter((path) => path.endsWith("manifest.yml"));
    return manifests.map((path) => dirname(path).split(sep).join("/")).sort();
  }

  /** Whether a file lies in the (local) storage that is not unfinished. */
  holdsAnything(): boolean {
    const isFile = (path: string) => statSync(join(this.storage, path), { throwIfNoEntry: false })?.isFile() === true;
    return this.#stored().some((path) => !path.startsWith(".scythe-tmp") && isFile(path));
  }

  /** How many chunks have their part in the (local) storage. */
  parts(): number {
    return this.#stored().filter((path) => /parts\/[^/]+\.pq$/.test(path)).length;
  }

  /** Looked at again when a folder goes away meanwhile: the run is going on. */
  #stored(): string[] {
    for (;;) {
      try {
        return existsSync(this.storage) ? (readdirSync(this.storage, { recursive: true }) as string[]) : [];
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
      }
    }
  }

  /** Processes of this scene that are alive: descendants, too, inherit the tag. */
  processes(): { pid: number; command: string }[] {
    if (process.platform !== "linux") return [];
    return readdirSync("/proc").flatMap((name) => {
      if (!/^\d+$/.test(name)) return [];
      try {
        if (!readFileSync(`/proc/${name}/environ`, "latin1").includes(this.tag)) return [];
        const command = readFileSync(`/proc/${name}/cmdline`, "utf8").replaceAll("\0", " ").trim();
        return [{ pid: Number(name), command }];
      } catch {
        return []; // ended meanwhile, or somebody else's
      }
    });
  }

  remove(): void {
    for (const { pid } of this.processes()) kill(pid, "SIGKILL");
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function stepsIn(trace: string): Step[] {
  const lines = existsSync(trace) ? readFileSync(trace, "utf8").trim().split("\n") : [];
  return lines.map((line) => {
    const [kind, path, from] = line.split("\t") as [string, string, string];
    return { kind, path, from };
  });
}

/** Every third spec has an input file; there are two, told apart by content. */
function specsOf(plan: Plan, folder: string): Record<string, unknown>[] {
  const sources = ["a", "b"].map((name) => join(folder, `${name}.txt`));
  for (const source of sources) writeFileSync(source, source.slice(-5));
  return Array.from({ length: plan.specs }, (_, n) => ({
    n,
    ...(plan.ms === undefined ? {} : { ms: plan.ms }),
    ...(n % 3 === 0 ? { source: sources[n % 2] } : {}),
  }));
}

export async function ending(child: ChildProcess, args: readonly string[]): Promise<Ended> {
  const said = { stdout: "", stderr: "" };
  for (const stream of ["stdout", "stderr"] as const) {
    child[stream]!.setEncoding("utf8").on("data", (text: string) => {
      said[stream] += text;
    });
  }
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    child.kill("SIGKILL");
  }, PROCESS_MS);
  const [code, signal] = (await once(child, "close")) as [number | null, NodeJS.Signals | null];
  clearTimeout(timer);
  if (late) throw new Error(`scythe ${args.join(" ")} did not end within ${PROCESS_MS / 1000} s\n${said.stderr}`);
  return { code, signal, ...said };
}

export function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // gone already
  }
}
