import { messageOf, ScytheError } from "../../errors.ts";
import { emptyColumns, type PointSet } from "../points/point-set.ts";
import { type FieldSampler, samplerOf } from "../space/space.ts";
import { checkWhole } from "../whole-number.ts";
import { kindOf } from "./design-kinds.ts";
import { type DesignDescription, designWarnings, variedSamplers, type Where } from "./plan.ts";

/** Values by field. */
export type Spec = Record<string, unknown>;

/** Consecutive specs as columns: one a field, in the order of the space. */
export interface SpecBatch {
  /** Row of the first, counted from the design's first. */
  first: number;
  rows: number;
  columns: { name: string; values: Float64Array | unknown[] }[];
}

/** Which rows of a design. */
export interface RowRange {
  /** Rows to leave out at the beginning (default 0). */
  skip?: number;
  /** How many rows (default: all that follow). */
  take?: number;
  /** About how many rows a batch has (default 4,096): it changes nothing but how much memory is in use. */
  batch?: number;
}

/** What a condition let through, in points. */
export interface Tally {
  tried: number;
  kept: number;
}

/** Less than one point in a thousand fulfils the condition, after so many: it is not worth going on. */
const TRIED_BEFORE_GIVING_UP = 10_000;
const LEAST_SHARE = 0.001;

/** A design that gives its specs, as often as they are asked for, in constant memory. */
export class Design {
  readonly #given: DesignDescription;
  readonly #where: Where | undefined;
  readonly #samplers: FieldSampler[];
  readonly #points: PointSet;
  /** Specs that a point becomes: more than one for `morris` and `saltelli`. */
  readonly rowsPerPoint: number;
  /** Names of the fields that vary, in the order of the design's dimensions. */
  readonly varied: readonly string[];
  /** What one should know before it is run. */
  readonly warnings: readonly string[];
  #tally: Tally | undefined;

  /** @throws ScytheError `invalid_input` for a description that is none, or whose condition is not given */
  constructor(description: DesignDescription, where?: Where) {
    if ((description.where === undefined) !== (where === undefined)) {
      const problem = where ? "was made without a condition" : `was made with a condition: ${description.where}`;
      throw new ScytheError("invalid_input", `The design ${problem}`, {
        hint: "Give the same condition as before (where), which data cannot hold.",
      });
    }
    const { design, options, seed, space, points } = description;
    const kind = kindOf(design);
    const varied = variedSamplers(space);
    this.#given = description;
    this.#where = where;
    this.#samplers = space.map(samplerOf);
    this.#points = kind.points({ samplers: varied, count: points.count, seed, options });
    this.rowsPerPoint = kind.rows(varied.length, options);
    this.varied = varied.map(({ name }) => name);
    this.warnings = designWarnings(description);
  }

  /** The description; with a condition, the position of the end is in it once all specs were made. */
  get description(): DesignDescription {
    const { points, where } = this.#given;
    if (where === undefined || !this.#tally) return this.#given;
    return { ...this.#given, points: { ...points, end: points.first + this.#tally.tried } };
  }

  /** How many specs there are; undefined for a closed design with a condition until all were made. */
  get rows(): number | undefined {
    const { points, design } = this.#given;
    if (this.#where && !kindOf(design).extensible) return this.#tally && this.#tally.kept * this.rowsPerPoint;
    return points.count * this.rowsPerPoint;
  }

  /** What the condition let through; undefined without one, or before all specs were made. */
  get tally(): Tally | undefined {
    return this.#where && this.#tally;
  }

  /** The specs, one after the other. @throws ScytheError as {@link batches} does */
  *specs(range: RowRange = {}): Generator<Spec> {
    for (const batch of this.batches(range)) yield* specsOf(batch);
  }

  /**
   * The specs as columns. Any range, in batches of any size, is that part of the whole.
   * @throws ScytheError `invalid_input` when too few points fulfil the condition, or it fails
   */
  *batches({ skip = 0, take = Number.POSITIVE_INFINITY, batch = 4096 }: RowRange = {}): Generator<SpecBatch> {
    checkWhole(skip, 0, Number.MAX_SAFE_INTEGER, "skip");
    if (take !== Number.POSITIVE_INFINITY) checkWhole(take, 0, Number.MAX_SAFE_INTEGER, "take");
    checkWhole(batch, 1, 2 ** 30, "batch");
    if (this.#where) yield* cut(this.#kept(batch, this.#where), skip, take);
    else yield* this.#all(skip, Math.min(take, this.rows! - skip), batch);
  }

  *#all(skip: number, take: number, batch: number): Generator<SpecBatch> {
    const offset = this.#given.points.first * this.rowsPerPoint;
    for (let first = skip; first < skip + take; first += batch) {
      yield { ...this.#made(offset + first, Math.min(batch, skip + take - first)), first };
    }
  }

  /** Whole points whose specs all fulfil the condition, until there are as many as were asked for. */
  *#kept(batch: number, where: Where): Generator<SpecBatch> {
    const { points, design } = this.#given;
    const { extensible } = kindOf(design);
    const step = Math.max(1, Math.floor(batch / this.rowsPerPoint));
    const end = extensible ? this.#points.size / this.rowsPerPoint : points.first + points.count;
    const tally = { tried: 0, kept: 0 };
    while (points.first + tally.tried < end && (tally.kept < points.count || !extensible)) {
      const first = points.first + tally.tried;
      const made = this.#made(first * this.rowsPerPoint, Math.min(step, end - first) * this.rowsPerPoint);
      const row = tally.kept * this.rowsPerPoint;
      const rows = this.#filtered(made, where, tally, extensible ? points.count : Number.POSITIVE_INFINITY);
      if (rows.length > 0) yield { first: row, rows: rows.length, columns: chosen(made, rows) };
    }
    if (tally.kept === 0 || (extensible && tally.kept < points.count)) throw tooFew(tally);
    this.#tally = tally;
  }

  /** The rows of a batch that are kept; counts in `tally`, up to `wanted` points. */
  #filtered(made: SpecBatch, where: Where, tally: Tally, wanted: number): number[] {
    const kept: number[] = [];
    const specs = [...specsOf(made)];
    for (let start = 0; start < made.rows && tally.kept < wanted; start += this.rowsPerPoint) {
      tally.tried++;
      const own = Array.from({ length: this.rowsPerPoint }, (_, i) => start + i);
      if (own.every((row) => fulfils(where, specs[row]!))) {
        tally.kept++;
        kept.push(...own);
      } else if (tally.tried >= TRIED_BEFORE_GIVING_UP && tally.kept < tally.tried * LEAST_SHARE) throw tooFew(tally);
    }
    return kept;
  }

  /** Rows of the design's whole sequence. */
  #made(first: number, rows: number): SpecBatch {
    const coordinates = emptyColumns(this.#points.dimensions, rows);
    this.#points.fill(coordinates, first);
    let next = 0;
    const columns = this.#samplers.map((sampler) => {
      const values = sampler.varied ? sampler.values(coordinates[next++]!) : new Array(rows).fill(sampler.at(0));
      return { name: sampler.name, values };
    });
    return { first, rows, columns };
  }
}

/** The rows of a batch as objects. */
export function* specsOf({ rows, columns }: SpecBatch): Generator<Spec> {
  for (let i = 0; i < rows; i++) {
    const spec: Spec = {};
    for (const { name, values } of columns) spec[name] = values[i];
    yield spec;
  }
}

/** The rows of a batch that are asked for. */
function chosen({ columns }: SpecBatch, rows: readonly number[]): SpecBatch["columns"] {
  return columns.map(({ name, values }) => ({
    name,
    values:
      values instanceof Float64Array ? Float64Array.from(rows, (row) => values[row]!) : rows.map((row) => values[row]),
  }));
}

/** Some rows of a stream of batches. It is read to its end only if they are not all found before. */
function* cut(batches: Iterable<SpecBatch>, skip: number, take: number): Generator<SpecBatch> {
  for (const batch of batches) {
    const start = Math.max(0, skip - batch.first);
    const end = Math.min(batch.rows, skip + take - batch.first);
    if (start >= end) continue;
    const rows = Array.from({ length: end - start }, (_, i) => start + i);
    yield { first: batch.first + start, rows: rows.length, columns: chosen(batch, rows) };
  }
}

function fulfils(where: Where, spec: Spec): boolean {
  let result: unknown;
  try {
    result = where(spec);
  } catch (thrown) {
    throw new ScytheError("invalid_input", `The condition (where) fails: ${messageOf(thrown)}`, {
      hint: "It is called with every spec, and gives true or false.",
      cause: thrown,
      details: { spec },
    });
  }
  if (typeof result === "boolean") return result;
  throw new ScytheError("invalid_input", `The condition (where) gives ${typeof result}, not true or false`, {
    hint: "Compare its fields: (spec) => spec.a < spec.b. It cannot be asynchronous.",
    details: { spec },
  });
}

function tooFew({ tried, kept }: Tally): ScytheError {
  const share = kept === 0 ? "None" : `Only ${kept}`;
  return new ScytheError("invalid_input", `${share} of ${tried} points fulfil the condition (where)`, {
    hint: "Narrow the distributions to where it holds, or correct it.",
    details: { tried, kept },
  });
}
