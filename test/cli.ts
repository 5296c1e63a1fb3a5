import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** The built command line, as a program for Node.js. */
export const MAIN = fileURLToPath(new URL("../dist/cli/main.js", import.meta.url));
const IN_PROCESS = new URL("./cli-in-process.mjs", import.meta.url).href;

export interface Ended {
  code: number | null;
  out: string;
  err: string;
}

export interface CliOptions {
  /** Its working directory. */
  cwd?: string;
  /** Variables beside, or instead of, those of this process. */
  env?: NodeJS.ProcessEnv;
}

export interface SpawnOptions extends CliOptions {
  /** Arguments of Node.js itself. */
  node?: readonly string[];
  stdin?: string | Buffer;
  /** Where its stdout goes, when not to the test. */
  stdout?: number;
}

/** What colours text, or adds to it, on the machine of one developer. */
const PERSONAL = { NO_COLOR: undefined, FORCE_COLOR: undefined, SCYTHE_DEBUG: undefined };

/**
 * The command line in a process of its own: for what is about processes (signals, streams, exit), or changes the one it
 * runs in. Everything else asks {@link runCli}, which costs a tenth.
 */
export function spawnCli(
  args: readonly string[],
  { cwd, env, node = [], stdin, stdout }: SpawnOptions = {},
): ChildProcess & { ended: Promise<Ended> } {
  const child = spawn(process.execPath, [...node, MAIN, ...args], {
    ...(cwd !== undefined && { cwd }),
    env: { ...process.env, ...PERSONAL, ...env },
    stdio: [stdin === undefined ? "ignore" : "pipe", stdout ?? "pipe", "pipe"],
  });
  child.stdin?.on("error", () => undefined).end(stdin); // it may end before it has read all
  const said = { out: "", err: "" };
  child.stdout?.setEncoding("utf8").on("data", (text) => {
    said.out += text;
  });
  child.stderr!.setEncoding("utf8").on("data", (text) => {
    said.err += text;
  });
  const ended = once(child, "close").then(([code]) => ({ code: code as number | null, ...said }));
  return Object.assign(child, { ended });
}

let last: Promise<unknown> = Promise.resolve();

/**
 * The command line in this process, from its words to its exit code, with what it prints. One runs at a time, since a
 * process has one working directory and one stdout. The config file is loaded again for each.
 */
export function runCli(args: readonly string[], options: CliOptions = {}): Promise<Ended> {
  const next = last.then(() => runHere(args, options));
  last = next.catch(() => undefined);
  return next;
}

async function runHere(args: readonly string[], { cwd = process.cwd(), env = {} }: CliOptions): Promise<Ended> {
  const { runInProcess } = (await import(IN_PROCESS)) as { runInProcess(args: readonly string[]): Promise<number> };
  const before = { cwd: process.cwd(), env: { ...process.env }, exitCode: process.exitCode };
  const said = { out: "", err: "" };
  const give = [
    captured(process.stdout, (text) => (said.out += text)),
    captured(process.stderr, (text) => (said.err += text)),
  ];
  try {
    process.chdir(cwd);
    setEnvironment({ ...process.env, ...PERSONAL, ...env });
    process.exitCode = undefined;
    return { code: await runInProcess(args), ...said };
  } finally {
    process.exitCode = before.exitCode;
    setEnvironment(before.env);
    process.chdir(before.cwd);
    for (const back of give) back();
  }
}

function setEnvironment(env: NodeJS.ProcessEnv): void {
  for (const name of Object.keys(process.env)) if (env[name] === undefined) delete process.env[name];
  for (const [name, value] of Object.entries(env)) if (value !== undefined) process.env[name] = value;
}

/** Takes what is written to a stream; returns what gives the stream back. */
function captured(stream: NodeJS.WriteStream, take: (text: string) => void): () => void {
  const { write } = stream;
  const taking = (chunk: string | Uint8Array, ...rest: unknown[]): boolean => {
    take(typeof chunk === "string" ? chunk : Buffer.from(chunk).toString("utf8"));
    const done = rest.find((one) => typeof one === "function") as (() => void) | undefined;
    if (done) queueMicrotask(done);
    return true;
  };
  stream.write = taking as typeof write;
  return () => {
    stream.write = write;
  };
}
