import { type ChildProcess, fork } from "node:child_process";
import { ScytheError } from "../errors.ts";
import type { ChunkRequest, FromChild, ToChild } from "./protocol.ts";
import type { RunnerEnd, RunnerHooks } from "./runner.ts";

/** How long a process may take to load the project. */
const START_MS = 60_000;
/** A spec that ignores its time limit is killed this much later, with everything it started. */
const GRACE_MS = 2_000;
const WATCH_MS = 100;
const TAIL = 16_384;

/** One child process: at most one chunk at a time, and replaced when it dies. */
export class Child {
  readonly #process: ChildProcess;
  readonly #exited: Promise<void>;
  /** Whoever waits for the process now. Replaced, not added to: a promise would keep every chunk's rows alive. */
  #onMessage: (message: FromChild) => void = () => undefined;
  #onExit: (end: RunnerEnd) => void = () => undefined;
  #onOutput: (text: string) => void = () => undefined;
  #tail = "";
  #killedFor: "timeout" | "close" | undefined;
  /** Resolves once it has loaded the project. */
  readonly ready: Promise<void>;
  dead = false;

  constructor(entry: string, configPath: string, cwd: string) {
    this.#process = fork(entry, [configPath], {
      cwd,
      serialization: "advanced",
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      detached: true, // a group of its own, so that what specs start dies with them and Ctrl-C reaches only us
      execArgv: ["--enable-source-maps"],
    });
    this.#exited = new Promise((resolve) => {
      this.#process.once("exit", (code, signal) => {
        this.dead = true;
        this.#onExit(this.#death(code, signal));
        resolve();
      });
    });
    this.#process.on("message", (message) => this.#onMessage(message as FromChild));
    for (const stream of [this.#process.stdout!, this.#process.stderr!]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        this.#tail = (this.#tail + text).slice(-TAIL);
        this.#onOutput(text);
      });
    }
    this.ready = this.#start();
    this.ready.catch(() => undefined);
  }

  async run(request: ChunkRequest, hooks: RunnerHooks): Promise<RunnerEnd> {
    await this.ready;
    this.#onOutput = hooks.onOutput;
    const stop = () => this.#tell({ type: "stop" });
    hooks.signal.addEventListener("abort", stop);
    const watch = new Watch(request.timeoutMs + GRACE_MS, () => this.#kill("timeout"));
    try {
      return await new Promise<RunnerEnd>((resolve, reject) => {
        this.#onMessage = (message) => {
          if (message.type === "rows") {
            watch.reset();
            hooks.onRows(message.rows, message.removeDirs);
          } else if (message.type === "end") resolve({ type: "ended", ...message.end });
          else if (message.type === "failed") reject(failedChild(message));
          else if (message.type === "fetch") void this.#fetch(message, hooks, watch);
        };
        this.#onExit = resolve;
        if (this.dead)
          resolve({ type: "died", reason: "crash", detail: "the process had ended before its first spec" });
        this.#tell({ type: "chunk", request });
      });
    } finally {
      watch.stop();
      hooks.signal.removeEventListener("abort", stop);
      this.#onMessage = () => undefined;
      this.#onExit = () => undefined;
      this.#onOutput = () => undefined;
    }
  }

  async close(): Promise<void> {
    this.#kill("close");
    await this.#exited;
  }

  async #start(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        this.#onMessage = (message) => {
          if (message.type === "ready") resolve();
          if (message.type === "broken") reject(brokenProject(message));
        };
        this.#onExit = () => reject(failedChild({ message: `it ended while loading the project\n${this.#tail}` }));
        timer = setTimeout(() => {
          this.#kill("close");
          reject(failedChild({ message: `it had not loaded the project after ${START_MS / 1000} s` }));
        }, START_MS);
      });
    } finally {
      clearTimeout(timer);
    }
  }

  async #fetch({ id, uri }: { id: number; uri: string }, hooks: RunnerHooks, watch: Watch): Promise<void> {
    watch.pause(); // bringing a file has its own limits
    try {
      this.#tell({ type: "fetched", id, path: await hooks.fetchUri(uri) });
    } catch (error) {
      this.#tell({ type: "fetched", id, error: (error as Error).message });
    }
    watch.reset();
  }

  #tell(message: ToChild): void {
    if (!this.dead && this.#process.connected) this.#process.send(message, () => undefined);
  }

  /** The whole group: a spec's own children may ignore gentler signals. */
  #kill(why: "timeout" | "close"): void {
    if (this.dead) return;
    this.#killedFor ??= why;
    try {
      process.kill(-this.#process.pid!, "SIGKILL");
    } catch {
      this.#process.kill("SIGKILL");
    }
  }

  #death(code: number | null, signal: NodeJS.Signals | null): RunnerEnd {
    if (this.#killedFor === "timeout") return { type: "died", reason: "timeout", detail: "" };
    const output = this.#tail.trim().split("\n").slice(-8).join("\n");
    const said = output ? `; it last printed:\n${output}` : "";
    if (/JavaScript heap out of memory|Cannot allocate memory|bad_alloc/.test(this.#tail)) {
      return { type: "died", reason: "out_of_memory", detail: "the process ran out of memory" };
    }
    if (signal === "SIGKILL") {
      const detail = "the process was killed (SIGKILL), perhaps by the system for want of memory";
      return { type: "died", reason: "crash", detail: `${detail}${said}` };
    }
    const how = signal ? `died of ${signal}` : `ended itself with exit code ${code}`;
    return { type: "died", reason: "crash", detail: `the process ${how}${said}` };
  }
}

/** Calls `late` when `reset` was not called for a while. */
class Watch {
  readonly #limit: number;
  readonly #timer: NodeJS.Timeout;
  #last: number | undefined = performance.now();

  constructor(limit: number, late: () => void) {
    this.#limit = limit;
    this.#timer = setInterval(() => {
      if (this.#last !== undefined && performance.now() - this.#last > this.#limit) late();
    }, WATCH_MS);
  }

  reset(): void {
    this.#last = performance.now();
  }

  pause(): void {
    this.#last = undefined;
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

function brokenProject({ message, stack }: { message: string; stack: string }): ScytheError {
  const cause = new Error(message);
  cause.stack = stack;
  return new ScytheError("invalid_definition", `A worker process could not load the project: ${message}`, {
    hint: "The config and its experiments must load in a process of their own, as `node` would load them.",
    cause,
  });
}

function failedChild({ message, stack }: { message: string; stack?: string }): ScytheError {
  const cause = new Error(message);
  if (stack) cause.stack = stack;
  return new ScytheError("engine", `A worker process could not run the experiment: ${message}`, {
    hint: "Nothing that is done is lost. If it happens again, run with --engine inline to see it in one process.",
    cause,
  });
}
