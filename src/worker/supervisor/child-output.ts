import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import type { RunnerHooks } from "./runner.ts";
import { MarkReader } from "./spec-marks.ts";

const TAIL = 16_384;
/** Output may stay open after a process's end, or miss a chunk's mark, only when specs have tampered with it. */
const DRAIN_MS = 500;

/** Reads the output of a worker's process and of the processes that its specs start. */
export class ChildOutput {
  /** The last characters of the output. */
  tail = "";
  onOutput: RunnerHooks["onOutput"] = () => undefined;
  readonly #closed: Promise<unknown>;
  readonly #marks: MarkReader[] = [];
  #onMarks: () => void = () => undefined;
  /** Chunks started; undefined when a spec has closed the streams that carry the marks. */
  #chunks: number | undefined = 0;

  constructor(child: ChildProcess) {
    this.#closed = once(child, "close").catch(() => undefined); // when the process could not be started
    for (const source of ["stdout", "stderr"] as const) {
      const marks = new MarkReader();
      this.#marks.push(marks);
      child[source]!.setEncoding("utf8").on("data", (printed: string) => {
        for (const { sortIndex, text } of marks.read(printed)) {
          this.tail = (this.tail + text).slice(-TAIL);
          this.onOutput({ sortIndex, source, text });
        }
        this.#onMarks();
      });
    }
  }

  beginChunk(): void {
    if (this.#chunks !== undefined) this.#chunks++;
  }

  /** Waits for a chunk's output, which may arrive after the message that it ended. */
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

  /** Waits for a process's last output, which may arrive after its exit event. */
  async allRead(): Promise<void> {
    await Promise.race([this.#closed, sleep(DRAIN_MS, undefined, { ref: false })]);
  }
}
