import type { AnyExperiment, Feature } from "../experiment/define.ts";
import { ERROR_COLUMNS, FEATURES, partColumns } from "../scatter/part-columns.ts";
import type { Column } from "../spec/columns.ts";
import { BatchBuilder } from "../table/batch.ts";
import type { Outcome } from "./execute.ts";
import { type Failure, failure, failureOf } from "./failure.ts";
import type { OutputFile, Rows } from "./protocol.ts";

type Settled = Exclude<Outcome, { ok: "stuck" }>;

/** Turns outcomes into the columns of a part. */
export class RowCollector {
  readonly #experiment: AnyExperiment;
  readonly #inputNames: ReadonlySet<string>;
  readonly #ok: BatchBuilder;
  readonly #errors: BatchBuilder;
  readonly #tables: [string, BatchBuilder][];
  readonly #rowBytes: number;
  readonly #worker: string;
  #files: OutputFile[] = [];
  #removeDirs: string[] = [];

  constructor(experiment: AnyExperiment, extraColumns: readonly Column[], worker: string) {
    this.#worker = worker;
    const columns = partColumns(experiment, extraColumns);
    this.#experiment = experiment;
    this.#inputNames = new Set([...experiment.columns.input, ...extraColumns].map((column: Column) => column.name));
    this.#ok = new BatchBuilder(columns.rows);
    this.#errors = new BatchBuilder(columns.errors);
    this.#tables = Object.entries(columns.tables).map(([name, own]) => [name, new BatchBuilder(own)]);
    this.#rowBytes = 8 * columns.rows.length;
  }

  /** Rough size of what it holds. */
  get bytes(): number {
    const tables = this.#tables.reduce((sum, [, t]) => sum + t.textLength + t.rows * 32, 0);
    return this.#ok.rows * this.#rowBytes + this.#ok.textLength + this.#errors.textLength + tables;
  }

  add(row: Record<string, unknown>, sortIndex: number, outcome: Settled): void {
    const index = { ...row, sort_index: sortIndex } as Record<string, unknown>;
    const problem = this.#addFeatures(index, row);
    if (outcome.ok === false) this.#addError(index, outcome.failure, outcome.attempts, outcome.seconds);
    else if (problem) this.#addError(index, problem, 1, 0);
    else this.#addOk(index, sortIndex, outcome);
  }

  take(): { rows: Pick<Rows, "ok" | "errors" | "tables" | "files">; removeDirs: string[] } {
    const rows = {
      ok: this.#ok.take(),
      errors: this.#errors.take(),
      tables: Object.fromEntries(this.#tables.map(([name, builder]) => [name, builder.take()])),
      files: this.#files,
    };
    const removeDirs = this.#removeDirs;
    this.#files = [];
    this.#removeDirs = [];
    return { rows, removeDirs };
  }

  #addOk(index: Record<string, unknown>, sortIndex: number, outcome: Extract<Settled, { ok: true }>): void {
    const { values, tables, files } = outcome.output;
    for (const file of files) this.#files.push({ ...file, row: this.#ok.rows });
    if (outcome.tempDir) this.#removeDirs.push(outcome.tempDir);
    this.#ok.append(Object.assign(index, values));
    for (const [name, builder] of this.#tables) {
      const rows = tables[name]!;
      for (let i = 0; i < rows.length; i++) {
        builder.append(Object.assign(rows[i]!, { sort_index: sortIndex, sort_subindex: i }));
      }
    }
  }

  #addError(index: Record<string, unknown>, problem: Failure, attempts: number, seconds: number): void {
    this.#errors.append(errorRow(index, problem, attempts, seconds, this.#worker));
  }

  #addFeatures(index: Record<string, unknown>, row: Record<string, unknown>): Failure | undefined {
    const { computedFeatures } = this.#experiment;
    if (!computedFeatures) return undefined;
    try {
      const features = computedFeatures(row as never) as Record<string, Feature>;
      const problem = featureProblem(features, this.#inputNames);
      if (problem) return failure("invalid_output", "InvalidFeature", `computedFeatures gave ${problem}`);
      index[FEATURES] = JSON.stringify(features);
      return undefined;
    } catch (thrown) {
      const { message, ...rest } = failureOf(thrown);
      return { ...rest, message: `computedFeatures threw: ${message}` };
    }
  }
}

export function errorRow(
  index: Record<string, unknown>,
  problem: Failure,
  attempts: number,
  seconds: number,
  worker: string,
): Record<string, unknown> {
  const own = { ...problem, attempts, duration: seconds, worker };
  for (const { name } of ERROR_COLUMNS) index[name] = own[name.slice(2) as keyof typeof own];
  return index;
}

function featureProblem(features: unknown, inputs: ReadonlySet<string>): string | undefined {
  if (typeof features !== "object" || features === null) return "no object of features";
  for (const [name, value] of Object.entries(features)) {
    if (inputs.has(name)) return `${name}, which is an input field already`;
    if (!/^[^\0"\\/]{1,128}$/.test(name) || name.startsWith("__")) return `${name}, which cannot be a column's name`;
    const ok = typeof value === "boolean" || typeof value === "string" || Number.isFinite(value);
    if (!ok) return `${name} = ${String(value)}, which is not a finite number, string or boolean`;
  }
  return undefined;
}
