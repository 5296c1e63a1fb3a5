import type { AnyExperiment } from "../../experiment/define.ts";
import { ERROR_FIELD_NAMES, type ErrorValues, SORT_SUBINDEX } from "../../scatter/final-columns.ts";
import { FEATURES, type IndexShape, partColumns, partErrorName } from "../../scatter/part-columns.ts";
import type { Column } from "../../schema/columns.ts";
import { SORT_INDEX } from "../../schema/id-columns.ts";
import { type Batch, BatchBuilder } from "../../table/batch.ts";
import { MAX_BYTES_PER_CHARACTER } from "../../table/memory-budget.ts";
import type { ChunkRequest, OutputFile, Rows } from "../protocol.ts";
import type { Outcome } from "./execute.ts";
import { type Failure, failureOf, rowTooLarge, tooLarge } from "./failure.ts";
import { FeatureText } from "./feature-text.ts";

type Settled = Exclude<Outcome, { ok: "stuck" }>;

/** Largest size of a spec's rows together, and of each. */
type SizeLimits = Pick<ChunkRequest, "maxOutputSize" | "maxRowSize">;

/** Turns outcomes into the columns of a part. */
export class RowCollector {
  readonly #experiment: AnyExperiment;
  readonly #featureText: FeatureText | undefined;
  readonly #worker: string;
  /**
   * Rows of succeeded specs, as column groups with one source each: merging objects would cost more than the row
   * itself.
   */
  readonly #ids = new BatchBuilder([SORT_INDEX]);
  readonly #index: BatchBuilder;
  readonly #features: BatchBuilder;
  readonly #outputs: BatchBuilder;
  readonly #errors: BatchBuilder;
  readonly #tables: { name: string; ids: BatchBuilder; own: BatchBuilder }[];
  /** The builders of a succeeded spec's rows. */
  readonly #builders: BatchBuilder[];
  readonly #rowBytes: number;
  readonly #limits: SizeLimits;
  #files: OutputFile[] = [];
  #removeDirs: string[] = [];

  constructor(experiment: AnyExperiment, index: IndexShape, worker: string, limits: SizeLimits) {
    this.#limits = limits;
    const columns = partColumns(experiment, index);
    this.#experiment = experiment;
    this.#worker = worker;
    if (experiment.computedFeatures) this.#featureText = new FeatureText(experiment, index.extra_columns);
    this.#index = new BatchBuilder(columns.index.filter((column) => column.name !== FEATURES));
    this.#features = new BatchBuilder(columns.index.filter((column) => column.name === FEATURES));
    this.#outputs = new BatchBuilder([...experiment.columns.scalars, ...experiment.columns.files]);
    this.#errors = new BatchBuilder(columns.errors);
    this.#tables = Object.entries(experiment.columns.tables as Record<string, Column[]>).map(([name, own]) => ({
      name,
      ids: new BatchBuilder([SORT_INDEX, SORT_SUBINDEX]),
      own: new BatchBuilder(own),
    }));
    const ofTables = this.#tables.flatMap(({ ids, own }) => [ids, own]);
    this.#builders = [this.#ids, this.#index, this.#features, this.#outputs, ...ofTables];
    this.#rowBytes = 8 * columns.rows.length;
  }

  /** Approximate size of the collected rows. */
  get bytes(): number {
    let bytes = this.#ids.rows * this.#rowBytes + this.#index.textLength + this.#outputs.textLength;
    for (const { own } of this.#tables) bytes += own.textLength + own.rows * 32;
    return bytes + this.#errors.textLength;
  }

  add(row: Record<string, unknown>, sortIndex: number, outcome: Settled): void {
    const features = this.#featureText?.of(row);
    const problem = typeof features === "object" ? features : undefined;
    if (outcome.ok === true && outcome.filesDir) this.#removeDirs.push(outcome.filesDir);
    if (outcome.ok === true && !problem) {
      const refused = this.#tryAddOk(row, sortIndex, features as string | undefined, outcome);
      if (refused) this.#addError({ ...row, sort_index: sortIndex, [FEATURES]: features }, refused, 1, 0);
      return;
    }
    const index = { ...row, sort_index: sortIndex, [FEATURES]: problem ? undefined : features };
    if (outcome.ok === false) this.#addError(index, outcome.failure, outcome.attempts, outcome.seconds);
    else this.#addError(index, problem!, 1, 0);
  }

  take(): { rows: Pick<Rows, "ok" | "errors" | "tables" | "files">; removeDirs: string[] } {
    const rows = {
      ok: sideBySide(this.#ids.take(), this.#index.take(), this.#features.take(), this.#outputs.take()),
      errors: this.#errors.take(),
      tables: Object.fromEntries(this.#tables.map(({ name, ids, own }) => [name, sideBySide(ids.take(), own.take())])),
      files: this.#files,
    };
    const removeDirs = this.#removeDirs;
    this.#files = [];
    this.#removeDirs = [];
    return { rows, removeDirs };
  }

  /** Adds the row completely or not at all: what cannot be written as columns fails only its spec. */
  #tryAddOk(
    row: Record<string, unknown>,
    sortIndex: number,
    features: string | undefined,
    outcome: Extract<Settled, { ok: true }>,
  ): Failure | undefined {
    const at = this.#ids.rows;
    const { maxOutputSize, maxRowSize } = this.#limits;
    for (const builder of this.#builders) builder.mark();
    try {
      this.#addOk(row, sortIndex, features, outcome);
      const size = this.#builders.reduce((sum, { textSinceMark }) => sum + textSinceMark, 0);
      if (size <= maxOutputSize) {
        if (size * MAX_BYTES_PER_CHARACTER > maxRowSize && this.#largestRow() > maxRowSize)
          return this.#takeBack(rowTooLarge(this.#experiment.name, maxRowSize));
        for (const file of outcome.output.files) this.#files.push({ ...file, row: at });
        return undefined;
      }
    } catch (thrown) {
      // a getter may return another value the second time; a RangeError is V8's limit of text length
      if (!(thrown instanceof RangeError)) return this.#takeBack(failureOf(thrown, "invalid_output"));
    }
    return this.#takeBack(tooLarge(this.#experiment.name, maxOutputSize));
  }

  /** Size of the spec's largest row as in the final tables: with inputs and features. */
  #largestRow(): number {
    const index = this.#index.largestSinceMark() + this.#features.largestSinceMark();
    return index + Math.max(this.#outputs.largestSinceMark(), ...this.#tables.map(({ own }) => own.largestSinceMark()));
  }

  #takeBack(problem: Failure): Failure {
    for (const builder of this.#builders) builder.takeBack();
    return problem;
  }

  #addOk(
    row: Record<string, unknown>,
    sortIndex: number,
    features: string | undefined,
    outcome: Extract<Settled, { ok: true }>,
  ): void {
    const { values, tables } = outcome.output;
    this.#ids.append({ sort_index: sortIndex });
    this.#index.append(row);
    if (features !== undefined) this.#features.append({ [FEATURES]: features });
    this.#outputs.append(values);
    for (const { name, ids, own } of this.#tables) {
      const rows = tables[name]!;
      for (let i = 0; i < rows.length; i++) {
        ids.append({ sort_index: sortIndex, sort_subindex: i });
        own.append(rows[i]!);
      }
    }
  }

  #addError(index: Record<string, unknown>, problem: Failure, attempts: number, seconds: number): void {
    this.#errors.append(errorRow(index, problem, attempts, seconds, this.#worker));
  }
}

/** Joins batches of the same rows column-wise. */
function sideBySide(first: Batch, ...others: Batch[]): Batch {
  return { rows: first.rows, columns: [first, ...others].flatMap((batch) => batch.columns) };
}

export function errorRow(
  index: Record<string, unknown>,
  problem: Failure,
  attempts: number,
  seconds: number,
  worker: string,
): Record<string, unknown> {
  const own: ErrorValues = { ...problem, attempts, duration: seconds, worker };
  for (const field of ERROR_FIELD_NAMES) index[partErrorName(field)] = own[field];
  return index;
}
