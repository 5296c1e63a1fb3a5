import { randomUUID } from "node:crypto";
import { mkdtempSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Context } from "../../experiment/context.ts";
import { type Random, randomFrom } from "../../sampling/random.ts";
import type { LogLine } from "../protocol.ts";
import type { SpecFolder } from "./take-files.ts";

export interface ContextServices {
  seed: number;
  tempRoot: string;
  logs: LogLine[];
  /** Called for each log line. */
  onLog?(): void;
  fetchUri: (uri: string) => Promise<string>;
}

/** Most log lines that wait to be sent. */
const MAX_LOG_LINES = 1_000;

/** The context of one try. Expensive members are created on first use: most specs use none. */
export class SpecContext implements Context, SpecFolder {
  readonly sortIndex: number;
  readonly attempt: number;
  readonly #services: ContextServices;
  #tempDir: string | undefined;
  #random: Random | undefined;
  #abort: AbortController | undefined;

  constructor(services: ContextServices, sortIndex: number, attempt: number) {
    this.#services = services;
    this.sortIndex = sortIndex;
    this.attempt = attempt;
  }

  get tempDir(): string {
    this.#tempDir ??= mkdtempSync(join(this.#services.tempRoot, `${this.sortIndex}-${this.attempt}-`));
    return this.#tempDir;
  }

  get random(): Random {
    this.#random ??= randomFrom(this.#services.seed, this.sortIndex);
    return this.#random;
  }

  get signal(): AbortSignal {
    this.#abort ??= new AbortController();
    return this.#abort.signal;
  }

  // arrow functions, so that `const { log } = ctx` works
  readonly log = (message: string): void => {
    const { logs, onLog } = this.#services;
    if (logs.length < MAX_LOG_LINES) logs.push({ sortIndex: this.sortIndex, message: String(message).slice(0, 4_000) });
    onLog?.();
  };

  readonly fetchUri = (uri: string): Promise<string> => this.#services.fetchUri(uri);

  abort(reason: Error): void {
    if (!this.#abort) this.#abort = new AbortController();
    this.#abort.abort(reason);
  }

  /** Moves all output files at once with one rename, however many and large they are. */
  detachTempDir(): string {
    const detached = join(this.#services.tempRoot, `taken-${randomUUID()}`);
    renameSync(this.tempDir, detached);
    this.#tempDir = detached;
    return detached;
  }

  /** The temporary folder, if it was used. */
  get usedTempDir(): string | undefined {
    return this.#tempDir;
  }

  removeTempDir(): void {
    if (this.#tempDir) rmSync(this.#tempDir, { recursive: true, force: true, maxRetries: 2 });
  }
}
