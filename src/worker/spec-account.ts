import type { AnyExperiment } from "../experiment/define.ts";
import type { RunInfo } from "../scatter/run-task.ts";
import { SORT_INDEX } from "../spec/id-columns.ts";
import { ParquetReader, readRows } from "../table/read-parquet.ts";
import { timeoutFailure } from "./execute.ts";
import { type Failure, failure } from "./failure.ts";
import { errorRow } from "./row-collector.ts";
import type { Death } from "./runner.ts";

/** Keeps the rows of specs that took their process with them, and so could not tell of it themselves. */
export class SpecAccount {
  readonly failures: Record<string, unknown>[] = [];
  readonly #experiment: AnyExperiment;
  readonly #run: RunInfo;
  readonly #specsPath: string;
  readonly #worker: string;

  constructor(experiment: AnyExperiment, run: RunInfo, specsPath: string, worker: string) {
    this.#experiment = experiment;
    this.#run = run;
    this.#specsPath = specsPath;
    this.#worker = worker;
  }

  /** Notes a death; true when the spec has had all of its tries and its row is written. */
  async died(position: number, attempt: number, death: Death, timeoutMs: number): Promise<boolean> {
    if (attempt <= this.#experiment.retries) return false;
    const spec = await this.#spec(position);
    const problem = failureOfDeath(this.#experiment.name, death, timeoutMs);
    const seconds = death.reason === "timeout" ? timeoutMs / 1000 : 0;
    this.failures.push(errorRow(spec, problem, attempt, seconds, this.#worker));
    return true;
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

function failureOfDeath(experiment: string, { reason, detail }: Death, timeoutMs: number): Failure {
  if (reason === "timeout") return timeoutFailure(experiment, timeoutMs);
  if (reason === "out_of_memory") {
    return failure(reason, "OutOfMemory", `${experiment} used more memory than its process may have: ${detail}.`);
  }
  return failure(reason, "ProcessDied", `${experiment} took its process with it: ${detail}`);
}
