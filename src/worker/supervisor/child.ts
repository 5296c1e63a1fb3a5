import { type ChildProcess, fork } from "node:child_process";
import { randomUUID } from "node:crypto";
import { bytesText } from "../../bytes-text.ts";
import { ScytheError } from "../../errors.ts";
import { platform } from "../../platform/current.ts";
import { OWNER_VARIABLE } from "../../platform/platform.ts";
import { NO_WINDOW } from "../../platform/processes.ts";
import type { ChunkRequest, FromChild, ToChild } from "../protocol.ts";
import { ChildOutput } from "./child-output.ts";
import { MemoryWatch } from "./memory-watch.ts";
import { messageProblem } from "./message-problem.ts";
import type { RunnerEnd, RunnerHooks } from "./runner.ts";
import { TimeWatch } from "./time-watch.ts";

/** How long a process may take to load the project. */
const START_MS = 60_000;
/** A spec that ignores its time limit is killed this much later, with everything it started. */
const GRACE_MS = 2_000;
/** A process idle for this long is ended if its specs left other processes running. */
const IDLE_MS = 1_000;
/** Signals that operating systems, schedulers and people send; a spec's own fault shows as another signal. */
const SENT_BY_OTHERS: readonly (string | null)[] = ["SIGKILL", "SIGTERM", "SIGHUP", "SIGINT"];
const OUT_OF_MEMORY =
  /(heap|process) out of memory|Cannot allocate memory|Array buffer allocation failed|bad_alloc|MemoryError/;

/** One child process. It runs at most one chunk at a time and is replaced when it dies. */
export class Child {
  readonly #process: ChildProcess;
  readonly #exited: Promise<void>;
  /** The current waiter. Replaced, not added to: a promise chain would keep every chunk's rows alive. */
  #onMessage: (message: FromChild) => void = () => undefined;
  #onExit: (end: RunnerEnd) => void = () => undefined;
  readonly #printed: ChildOutput;
  #killedFor: "timeout" | "memory" | "cancel" | "close" | undefined;
  /** Its memory use when it was killed for it. */
  #memory = "";
  #memoryKills: number | undefined;
  #idle: NodeJS.Timeout | undefined;
  /** Inherited, in the environment, by every process that it starts. */
  readonly #owner = randomUUID();
  /** Resolves when it has loaded the project. */
  readonly #ready: Promise<void>;
  /** Number of waiters. Without one, the child does not keep this process alive. */
  #waiters = 0;
  dead = false;

  constructor(entry: string, configPath: string, cwd: string, env: NodeJS.ProcessEnv) {
    this.#process = fork(entry, [configPath, String(process.pid)], {
      cwd,
      env: { ...env, [OWNER_VARIABLE]: this.#owner },
      serialization: "advanced",
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      detached: true, // its own process group: what specs start dies with them, and Ctrl-C reaches only this process
      execArgv: ["--enable-source-maps"],
      ...NO_WINDOW,
    });
    this.#printed = new ChildOutput(this.#process);
    this.#exited = new Promise((resolve) => {
      this.#process.once("exit", (code, signal) => {
        this.dead = true;
        platform.killLeftovers(this.#process.pid!, this.#owner);
        void this.#printed.allRead().then(() => {
          this.#onExit(this.#death(code, signal));
          resolve();
        });
      });
    });
    this.#process.on("message", (message) => this.#onMessage(message as FromChild));
    this.#ready = this.#start();
    this.#ready.catch(() => undefined);
    this.#setReferenced(false);
  }

  /** Resolves when it can run a chunk at once. */
  warm(): Promise<void> {
    return this.#whileReferenced(() => this.#ready);
  }

  run(request: ChunkRequest, hooks: RunnerHooks): Promise<RunnerEnd> {
    return this.#whileReferenced(() => this.#run(request, hooks));
  }

  async #run(request: ChunkRequest, hooks: RunnerHooks): Promise<RunnerEnd> {
    clearTimeout(this.#idle);
    try {
      await this.#ready;
    } catch (error) {
      if (error instanceof KilledError) return { type: "died", reason: "killed", detail: error.message };
      throw error;
    }
    this.#printed.onOutput = hooks.onOutput;
    this.#memoryKills = platform.memoryKills();
    const stop = () => this.#send({ type: "stop" });
    const memory = this.#watchMemory(request);
    const kill = () => this.#kill("cancel");
    hooks.kill.addEventListener("abort", kill);
    const watch = new TimeWatch(request.timeoutMs + GRACE_MS, () => this.#kill("timeout"));
    hooks.signal.addEventListener("abort", stop);
    try {
      return await new Promise<RunnerEnd>((resolve, reject) => {
        this.#handleMessages({ request, hooks, watch, resolve, reject });
        this.#onExit = resolve;
        if (this.dead)
          resolve({ type: "died", reason: "crash", detail: "the process had ended before its first spec" });
        this.#printed.beginChunk();
        this.#send({ type: "chunk", request });
        if (hooks.signal.aborted) stop(); // aborted while the process was starting
        if (hooks.kill.aborted) kill();
      });
    } finally {
      watch.stop();
      memory?.stop();
      this.#idle = setTimeout(() => this.#endIfLeftovers(), IDLE_MS).unref();
      hooks.signal.removeEventListener("abort", stop);
      hooks.kill.removeEventListener("abort", kill);
      this.#onMessage = () => undefined;
      this.#onExit = () => undefined;
      this.#printed.onOutput = () => undefined;
    }
  }

  /** Handles the process's messages until its chunk has ended. */
  #handleMessages({ request, hooks, watch, resolve, reject }: RunningChunk): void {
    let upTo = request.from;
    const end = (how: RunnerEnd) => {
      this.#onMessage = () => undefined; // later messages may be forged by user code
      resolve(how);
    };
    // treated as a crash of a spec: the process is replaced, and the spec is identified
    const crashed = (detail: string) => end({ type: "died", reason: "crash", detail });
    this.#onMessage = (message) => {
      const problem = messageProblem(message, { from: upTo, to: request.to });
      if (problem) crashed(`its process sent an invalid message on Scythe's channel: ${problem}`);
      else if (message.type === "rows") {
        watch.reset();
        upTo = message.rows.upTo;
        const noted = hooks.onRows(message.rows, message.removeDirs);
        if (message.rows.announced && request.confirm) void this.#go(noted, watch, reject);
      } else if (message.type === "logs") {
        for (const { sortIndex, message: text } of message.lines) hooks.onOutput({ sortIndex, source: "log", text });
      } else if (message.type === "end") {
        this.#onMessage = () => undefined;
        void this.#printed.chunkRead().then(() => end({ type: "ended", ...message.end }));
      } else if (message.type === "failed" && message.begun) {
        crashed(`its process became unusable: ${message.message}`);
      } else if (message.type === "failed") reject(failedChild(message));
      else if (message.type === "fetch") void this.#fetch(message, hooks, watch);
    };
  }

  close(): Promise<void> {
    clearTimeout(this.#idle);
    this.killNow();
    return this.#whileReferenced(() => this.#exited);
  }

  /** For a program that is exiting and cannot wait. */
  killNow(): void {
    this.#kill("close");
  }

  async #whileReferenced<T>(work: () => Promise<T>): Promise<T> {
    if (this.#waiters++ === 0) this.#setReferenced(true);
    try {
      return await work();
    } finally {
      if (--this.#waiters === 0) this.#setReferenced(false);
    }
  }

  /** Sets whether the child keeps this process alive. */
  #setReferenced(stay: boolean): void {
    const { stdout, stderr, channel } = this.#process;
    const handles = [this.#process, channel, stdout, stderr] as ({ ref(): void; unref(): void } | null | undefined)[];
    for (const handle of handles) stay ? handle?.ref() : handle?.unref();
  }

  async #start(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        this.#onMessage = (message) => {
          if (message.type === "ready") resolve();
          if (message.type === "broken") reject(brokenProject(message));
        };
        this.#onExit = (end) => {
          if (end.type === "died" && end.reason === "killed") reject(new KilledError(end.detail));
          else reject(failedChild({ message: `it ended while loading the project\n${this.#printed.tail}` }));
        };
        timer = setTimeout(() => {
          this.#kill("close");
          reject(failedChild({ message: `it had not loaded the project after ${START_MS / 1000} s` }));
        }, START_MS).unref();
      });
    } finally {
      clearTimeout(timer);
    }
  }

  async #fetch({ id, uri }: { id: number; uri: string }, hooks: RunnerHooks, watch: TimeWatch): Promise<void> {
    watch.pause(); // fetching a file has its own limits
    try {
      this.#send({ type: "fetched", id, path: await hooks.fetchUri(uri) });
    } catch (error) {
      this.#send({ type: "fetched", id, error: (error as Error).message });
    }
    watch.reset();
  }

  #send(message: ToChild): void {
    if (!this.dead && this.#process.connected) this.#process.send(message, () => undefined);
  }

  async #go(noted: void | Promise<void>, watch: TimeWatch, fail: (error: unknown) => void): Promise<void> {
    try {
      await noted;
      watch.reset();
      this.#send({ type: "go" });
    } catch (error) {
      fail(error);
    }
  }

  #watchMemory({ memoryLimit: limit, experiment }: ChunkRequest): MemoryWatch | undefined {
    if (limit === null || this.dead) return undefined;
    const atRest = platform.residentBytes([this.#process.pid!]) ?? 0;
    if (atRest > limit) throw tooLittleMemory(experiment, limit, atRest);
    return new MemoryWatch(this.#process.pid!, this.#owner, limit, (bytes) => {
      this.#memory = `${bytesText(bytes)}, and memoryLimit is ${bytesText(limit)}`;
      this.#kill("memory");
    });
  }

  /** Helper processes of a module may outlive a chunk; if no further chunk comes, they must be ended. */
  #endIfLeftovers(): void {
    if (this.dead || platform.startedBy(this.#process.pid!, this.#owner).length === 0) return;
    this.#kill("close");
    this.dead = true; // the next chunk gets a new process
  }

  /** Also kills everything its specs started, which may ignore gentler signals. */
  #kill(why: "timeout" | "memory" | "cancel" | "close"): void {
    if (this.dead) return;
    this.#killedFor ??= why;
    platform.killTree(this.#process.pid!, this.#owner);
  }

  #death(code: number | null, signal: NodeJS.Signals | null): RunnerEnd {
    if (this.#killedFor === "cancel") return { type: "stopped" };
    if (this.#killedFor === "timeout") return { type: "died", reason: "timeout", detail: "" };
    if (this.#killedFor === "memory") return { type: "died", reason: "out_of_memory", detail: this.#memory };
    const output = this.#printed.tail.trim().split("\n").slice(-8).join("\n");
    const printed = output ? `; it last printed:\n${output}` : "";
    if (OUT_OF_MEMORY.test(this.#printed.tail)) {
      return { type: "died", reason: "out_of_memory", detail: `more than its process could get${printed}` };
    }
    if (signal === "SIGKILL" && this.#memoryKills !== undefined && platform.memoryKills()! > this.#memoryKills) {
      return { type: "died", reason: "out_of_memory", detail: "more than the system had, which killed its process" };
    }
    const reason = SENT_BY_OTHERS.includes(signal) ? "killed" : "crash";
    const how = signal ? `died of ${signal}` : `ended itself with exit code ${code}`;
    const detail = reason === "killed" ? `the process was killed (${signal})` : `the process ${how}`;
    return { type: "died", reason, detail: `${detail}${printed}` };
  }
}

/** The process was killed from outside before its first spec. */
class KilledError extends Error {}

/** The chunk that is running. */
interface RunningChunk {
  request: ChunkRequest;
  hooks: RunnerHooks;
  watch: TimeWatch;
  resolve: (end: RunnerEnd) => void;
  reject: (error: unknown) => void;
}

function tooLittleMemory(experiment: string, limit: number, atRest: number): ScytheError {
  const problem = `memoryLimit of ${experiment} is ${bytesText(limit)}, but a worker's process holds ${bytesText(atRest)} before its first spec`;
  return new ScytheError("invalid_definition", problem, {
    hint: "Raise memoryLimit (or SCYTHE_WORKER_MEMORY_LIMIT): Node and what the config imports count, too.",
  });
}

function brokenProject({ message, stack }: { message: string; stack: string }): ScytheError {
  const cause = new Error(message);
  cause.stack = stack;
  return new ScytheError("invalid_definition", `A worker process could not load the project: ${message}`, {
    hint: "The config and its experiments must load in a separate process, as `node` would load them. List environment variables that they need in the config: passEnv.",
    cause,
  });
}

function failedChild({ message, stack }: { message: string; stack?: string }): ScytheError {
  const cause = new Error(message);
  if (stack) cause.stack = stack;
  return new ScytheError("engine", `A worker process could not run the experiment: ${message}`, {
    hint: "Finished work is kept. If it happens again, run with --engine inline to debug it in one process.",
    cause,
  });
}
