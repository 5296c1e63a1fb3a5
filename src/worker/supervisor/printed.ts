import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import type { RunnerHooks } from "./runner.ts";
import { MarkReader } from "./spec-marks.ts";

const TAIL = 16_384;
/** A process's output stays open beyond its end, or a chunk's mark away, only where specs have tampered with it. */
const DRAIN_MS = 500;

/** What one worker's process and those that its specs start print. */
export class Printed {
  /** The end of it. */
  tail = "";
  onSaid: RunnerHooks["onSaid"] = () => undefined;
  readonly #closed: Promise<unknown>;
  readonly #marks: MarkReader[] = [];
  #onMarks: () => void = () => undefined;
  /** Chunks begun; undefined when a spec has closed the streams that their marks come by. */
  #chunks: number | undefined = 0;

  constructor(child: ChildProcess) {
    this.#closed = once(child, "close").catch(() => undefined); // of one that could not be started
    for (const source of ["stdout", "stderr"] as const) {
      const marks = new MarkReader();
      this.#marks.push(marks);
      child[source]!.setEncoding("utf8").on("data", (printed: string) => {
        for (const { sortIndex, text } of marks.read(printed)) {
          this.tail = (this.tail + text).slice(-TAIL);
          this.onSaid({ sortIndex, source, text });
        }
        this.#onMarks();
      });
    }
  }

  beginChunk(): void {
    if (this.#chunks !== undefined) this.#chunks++;
  }

  /** What a chunk's last specs printed may come after the news of its end. */
  async chunkRead(): Promise<void> {
    const chunks = this.#chunks;
    const complete = () => chunks === undefined || this.#marks.every(({ ends }) => ends >= chunks);
    if (complete()) return;
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.#onMarks = () => complete() && resolve();
      timer = setTimeout(resolve, DRAIN_MS);
    });
    clearTimeout(timer);
    this.#onMarks = () => undefined;
    if (!complete()) this.#chunks = undefined;
  }

  /** What a process printed last may come after the news of its end. */
  async allRead(): Promise<void> {
    await Promise.race([this.#closed, sleep(DRAIN_MS, undefined, { ref: false })]);
  }
}
