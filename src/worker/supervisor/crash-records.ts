import type { AnyExperiment } from "../../experiment/define.ts";
import type { RunInfo } from "../../scatter/run-task.ts";
import { SORT_INDEX } from "../../schema/id-columns.ts";
import { ParquetReader, readRows } from "../../table/read-parquet.ts";
import { timeoutFailure } from "../task/execute.ts";
import { type Failure, failure } from "../task/failure.ts";
import { errorRow } from "../task/row-collector.ts";
import type { Death } from "./runner.ts";

/**
 * After this many deaths of its process by a signal from outside, a spec is considered the cause. They do not count as
 * tries: a user's `kill`, or a machine that is taken away, is not its fault.
 */
export const MAX_DEATHS = 3;

/** Makes the error rows of specs that killed their process, and decides whether they are tried again. */
export class CrashRecords {
  readonly failures: Record<string, unknown>[] = [];
  readonly #experiment: AnyExperiment;
  readonly #run: RunInfo;
  readonly #specsPath: string;
  readonly #worker: string;
  /** How the processes of the current spec have died so far. */
  #position = -1;
  #history: string[] = [];
  #killed = 0;

  constructor(experiment: AnyExperiment, run: RunInfo, specsPath: string, worker: string) {
    this.#experiment = experiment;
    this.#run = run;
    this.#specsPath = specsPath;
    this.#worker = worker;
  }

  /** Records a death. Returns the next try, or undefined when the spec has none left and its row is written. */
  async died(position: number, attempt: number, death: Death, timeoutMs: number): Promise<number | undefined> {
    if (position !== this.#position) {
      this.#position = position;
      this.#history = [];
      this.#killed = 0;
    }
    const { reason } = death;
    if (reason !== "timeout") this.#history.push(death.detail);
    if (reason === "killed") this.#killed++;
    const again = reason === "killed" ? this.#killed < MAX_DEATHS : attempt <= this.#experiment.retry[reason];
    if (again) return reason === "killed" ? attempt : attempt + 1;
    const problem = failureOfDeath(this.#experiment.name, death, this.#history, timeoutMs);
    const tries = attempt + this.#killed - (reason === "killed" ? 1 : 0);
    await this.#write(position, problem, tries, reason === "timeout" ? timeoutMs / 1000 : 0);
    return undefined;
  }

  /**
   * Gives up a spec whose workers died with it.
   * @param history when and where they died
   */
  async quarantine(position: number, history: readonly string[]): Promise<void> {
    const times = `${this.#experiment.name} killed its worker ${history.length} times, so it is not tried again`;
    const problem = failure("crash", "Quarantined", `${times}. It started ${history.join("; ")}.`);
    await this.#write(position, problem, history.length, 0);
  }

  async #write(position: number, problem: Failure, attempts: number, seconds: number): Promise<void> {
    this.failures.push(errorRow(await this.#spec(position), problem, attempts, seconds, this.#worker));
  }

  async #spec(position: number): Promise<Record<string, unknown>> {
    const columns = [SORT_INDEX, ...this.#experiment.columns.input, ...this.#run.details.extra_columns];
    const reader = await ParquetReader.open(this.#specsPath);
    try {
      for await (const row of readRows(reader, columns, position, position + 1)) return row;
      throw new Error(`no spec at position ${position}`);
    } finally {
      reader.close();
    }
  }
}

function failureOfDeath(experiment: string, death: Death, history: readonly string[], timeoutMs: number): Failure {
  const { reason, detail } = death;
  if (reason === "timeout") return timeoutFailure(experiment, timeoutMs);
  if (reason === "out_of_memory") {
    return failure(reason, "OutOfMemory", `${experiment} used more memory than it may: ${detail}.`);
  }
  const earlier = [...new Set(history)].filter((other) => other !== detail);
  const times = history.length > 1 ? ` ${history.length} times` : "";
  const before = earlier.length > 0 ? `; before that, ${earlier.join("; ")}` : "";
  return failure("crash", "ProcessDied", `${experiment} killed its process${times}: ${detail}${before}`);
}
