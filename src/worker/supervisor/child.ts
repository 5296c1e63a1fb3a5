import { type ChildProcess, fork } from "node:child_process";
import { randomUUID } from "node:crypto";
import { bytesText } from "../../bytes-text.ts";
import { ScytheError } from "../../errors.ts";
import { platform } from "../../platform/current.ts";
import { OWNER_VARIABLE } from "../../platform/platform.ts";
import { NO_WINDOW } from "../../platform/processes.ts";
import type { ChunkRequest, FromChild, ToChild } from "../protocol.ts";
import { MemoryWatch } from "./memory-watch.ts";
import { messageProblem } from "./message-problem.ts";
import { Printed } from "./printed.ts";
import type { RunnerEnd, RunnerHooks } from "./runner.ts";
import { TimeWatch } from "./time-watch.ts";

/** How long a process may take to load the project. */
const START_MS = 60_000;
/** A spec that ignores its time limit is killed this much later, with everything it started. */
const GRACE_MS = 2_000;
/** A process that has been idle for so long, with others that its specs left running, ends with them. */
const IDLE_MS = 1_000;
/** What operating systems, schedulers and people end processes with; a spec's own fault shows as another signal. */
const SENT_BY_OTHERS: readonly (string | null)[] = ["SIGKILL", "SIGTERM", "SIGHUP", "SIGINT"];
const OUT_OF_MEMORY =
  /(heap|process) out of memory|Cannot allocate memory|Array buffer allocation failed|bad_alloc|MemoryError/;

/** One child process: at most one chunk at a time, and replaced when it dies. */
export class Child {
  readonly #process: ChildProcess;
  readonly #exited: Promise<void>;
  /** Whoever waits for the process now. Replaced, not added to: a promise would keep every chunk's rows alive. */
  #onMessage: (message: FromChild) => void = () => undefined;
  #onExit: (end: RunnerEnd) => void = () => undefined;
  readonly #printed: Printed;
  #killedFor: "timeout" | "memory" | "cancel" | "close" | undefined;
  /** What it had when it was killed for its memory. */
  #memory = "";
  #memoryKills: number | undefined;
  #idle: NodeJS.Timeout | undefined;
  /** What it starts inherits this name. */
  readonly #owner = randomUUID();
  /** Resolves once it has loaded the project. */
  readonly #ready: Promise<void>;
  /** How much waits for it: idle, it keeps this process from nothing. */
  #awaited = 0;
  dead = false;

  constructor(entry: string, configPath: string, cwd: string, env: NodeJS.ProcessEnv) {
    this.#process = fork(entry, [configPath, String(process.pid)], {
      cwd,
      env: { ...env, [OWNER_VARIABLE]: this.#owner },
      serialization: "advanced",
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      detached: true, // a group of its own, so that what specs start dies with them and Ctrl-C reaches only us
      execArgv: ["--enable-source-maps"],
      ...NO_WINDOW,
    });
    this.#printed = new Printed(this.#process);
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
    this.#hold(false);
  }

  /** Resolves once it can run a chunk at once. */
  warm(): Promise<void> {
    return this.#waitedFor(() => this.#ready);
  }

  run(request: ChunkRequest, hooks: RunnerHooks): Promise<RunnerEnd> {
    return this.#waitedFor(() => this.#run(request, hooks));
  }

  async #run(request: ChunkRequest, hooks: RunnerHooks): Promise<RunnerEnd> {
    clearTimeout(this.#idle);
    try {
      await this.#ready;
    } catch (error) {
      if (error instanceof KilledError) return { type: "died", reason: "killed", detail: error.message };
      throw error;
    }
    this.#printed.onSaid = hooks.onSaid;
    this.#memoryKills = platform.memoryKills();
    const stop = () => this.#tell({ type: "stop" });
    const memory = this.#watchMemory(request);
    const kill = () => this.#kill("cancel");
    hooks.kill.addEventListener("abort", kill);
    const watch = new TimeWatch(request.timeoutMs + GRACE_MS, () => this.#kill("timeout"));
    hooks.signal.addEventListener("abort", stop);
    try {
      return await new Promise<RunnerEnd>((resolve, reject) => {
        this.#heed({ request, hooks, watch, resolve, reject });
        this.#onExit = resolve;
        if (this.dead)
          resolve({ type: "died", reason: "crash", detail: "the process had ended before its first spec" });
        this.#printed.beginChunk();
        this.#tell({ type: "chunk", request });
        if (hooks.signal.aborted) stop(); // while the process was started
        if (hooks.kill.aborted) kill();
      });
    } finally {
      watch.stop();
      memory?.stop();
      this.#idle = setTimeout(() => this.#endIfOthersRun(), IDLE_MS).unref();
      hooks.signal.removeEventListener("abort", stop);
      hooks.kill.removeEventListener("abort", kill);
      this.#onMessage = () => undefined;
      this.#onExit = () => undefined;
      this.#printed.onSaid = () => undefined;
    }
  }

  /** Takes what the process says of its chunk until that has ended, well or badly. */
  #heed({ request, hooks, watch, resolve, reject }: Heeding): void {
    let upTo = request.from;
    const end = (how: RunnerEnd) => {
      this.#onMessage = () => undefined; // what it says from now on may be forged
      resolve(how);
    };
    // by a spec's doing, as a crash is: the process is replaced, and whose it was is found out
    const spoilt = (detail: string) => end({ type: "died", reason: "crash", detail });
    this.#onMessage = (message) => {
      const problem = messageProblem(message, { from: upTo, to: request.to });
      if (problem) spoilt(`its process said what only Scythe says there: ${problem}`);
      else if (message.type === "rows") {
        watch.reset();
        upTo = message.rows.upTo;
        const noted = hooks.onRows(message.rows, message.removeDirs);
        if (message.rows.announced && request.confirm) void this.#go(noted, watch, reject);
      } else if (message.type === "logs") {
        for (const { sortIndex, message: text } of message.lines) hooks.onSaid({ sortIndex, source: "log", text });
      } else if (message.type === "end") {
        this.#onMessage = () => undefined;
        void this.#printed.chunkRead().then(() => end({ type: "ended", ...message.end }));
      } else if (message.type === "failed" && message.begun) {
        spoilt(`its process was left unfit: ${message.message}`);
      } else if (message.type === "failed") reject(failedChild(message));
      else if (message.type === "fetch") void this.#fetch(message, hooks, watch);
    };
  }

  close(): Promise<void> {
    clearTimeout(this.#idle);
    this.killNow();
    return this.#waitedFor(() => this.#exited);
  }

  /** For a process that ends itself and can wait for nothing. */
  killNow(): void {
    this.#kill("close");
  }

  async #waitedFor<T>(work: () => Promise<T>): Promise<T> {
    if (this.#awaited++ === 0) this.#hold(true);
    try {
      return await work();
    } finally {
      if (--this.#awaited === 0) this.#hold(false);
    }
  }

  /** Whether this process stays for the child's sake. */
  #hold(stay: boolean): void {
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

  async #go(noted: void | Promise<void>, watch: TimeWatch, fail: (error: unknown) => void): Promise<void> {
    try {
      await noted;
      watch.reset();
      this.#tell({ type: "go" });
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

  /** Between chunks a module's own helpers may live on; once nothing more comes, nobody would end them. */
  #endIfOthersRun(): void {
    if (this.dead || platform.startedBy(this.#process.pid!, this.#owner).length === 0) return;
    this.#kill("close");
    this.dead = true; // the next chunk gets a new one
  }

  /** With all that its specs have started: that may ignore gentler signals. */
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
    const said = output ? `; it last printed:\n${output}` : "";
    if (OUT_OF_MEMORY.test(this.#printed.tail)) {
      return { type: "died", reason: "out_of_memory", detail: `more than its process could get${said}` };
    }
    if (signal === "SIGKILL" && this.#memoryKills !== undefined && platform.memoryKills()! > this.#memoryKills) {
      return { type: "died", reason: "out_of_memory", detail: "more than the system had, which killed its process" };
    }
    const reason = SENT_BY_OTHERS.includes(signal) ? "killed" : "crash";
    const how = signal ? `died of ${signal}` : `ended itself with exit code ${code}`;
    const detail = reason === "killed" ? `the process was killed (${signal})` : `the process ${how}`;
    return { type: "died", reason, detail: `${detail}${said}` };
  }
}

/** Somebody killed the process before it had a spec. */
class KilledError extends Error {}

/** One chunk under way. */
interface Heeding {
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
    hint: "The config and its experiments must load in a process of their own, as `node` would load them. Variables of the environment that they need are named in the config: passEnv.",
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
