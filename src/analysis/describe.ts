import { type Duck, withDuckDb } from "../table/duckdb.ts";
import { parquetRows } from "../table/parquet-sql.ts";
import { identifier } from "../table/sql.ts";
import { type FailuresByInput, failuresByInput } from "./describe-failures.ts";
import type { Observations } from "./observations.ts";
import { ranks } from "./ranks.ts";
import { countRows, readObservations } from "./read-observations.ts";
import {
  type AnalysedColumns,
  NUMBERS,
  type RunColumn,
  type RunTables,
  runColumns,
  whyNoOutput,
} from "./run-tables.ts";
import type { LeftOut } from "./sensitivity-result.ts";

/** What `results.describe()` looks at. */
export interface DescribeOptions extends AnalysedColumns {
  /** Bars of each histogram (default 20). */
  bins?: number;
  /** Regions of each input of numbers, in which failures are counted (default 5). */
  regions?: number;
  /** Specs of the run (default: rows of both tables). */
  planned?: number;
}

/** What a run's outputs look like: plain data. */
export interface Description {
  specs: { planned: number; succeeded: number; failed: number };
  outputs: OutputDescription[];
  /** Where specs fail; empty when none did. */
  failures: FailuresByInput[];
  /** Rows that the rank correlations are from: all, or so many that they are good to about 0.01. */
  rankRows: number;
  /** Outputs that are no numbers. */
  skipped: LeftOut[];
}

/** How one output is spread. */
export interface OutputDescription {
  output: string;
  /** Rows with a finite value, and without one. */
  n: number;
  missing: number;
  /** Null without values; so is all that follows. */
  mean: number | null;
  /** Sample standard deviation and skewness; null for fewer than two or three values, or a constant. */
  sd: number | null;
  skew: number | null;
  min: number | null;
  max: number | null;
  quantiles: { p: number; value: number }[];
  /** Counts in bins of the same width between `min` and `max`. */
  histogram: number[];
  correlations: Correlation[];
}

/** How an output and an input vary together. */
export interface Correlation {
  input: string;
  /** Null for an input that is neither number nor boolean, and where one of both is constant. */
  pearson: number | null;
  spearman: number | null;
}

const QUANTILES = [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99];
const DEFAULT_BINS = 20;
const DEFAULT_REGIONS = 5;
/** More rows tell nothing new of a rank correlation: its error is below 1/√rows. */
const RANK_ROWS = 200_000;
const MEMORY_MB = 768;

/** Looks at the outputs of a run, by DuckDB on its tables: in bounded memory, also for ten million rows. */
export async function describeRun(tables: RunTables, options: DescribeOptions = {}): Promise<Description> {
  const { outputs: wanted, inputs, bins = DEFAULT_BINS, regions = DEFAULT_REGIONS } = options;
  const sample = await readObservations(tables, {
    ...(inputs ? { inputs } : {}),
    ...(wanted ? { outputs: wanted } : {}),
    sample: RANK_ROWS,
  });
  return withDuckDb({ memoryMb: MEMORY_MB }, sample.planned, async (duck) => {
    const columns = await runColumns(duck, tables, options);
    const outputs = columns.outputs.filter((column) => !whyNoOutput(column));
    const numbers = columns.inputs.filter(({ type }) => NUMBERS.test(type));
    const rows = await countRows(duck, tables.scalars);
    const failed = tables.errors ? await countRows(duck, tables.errors) : 0;
    const scales = await scalesOf(duck, tables.scalars, [...outputs, ...numbers]);
    const pearson = await pearsonOf(duck, tables.scalars, outputs, numbers, scales);
    const spearman = spearmanOf(sample);
    const described: OutputDescription[] = [];
    for (const { name } of outputs) {
      const own = await distributionOf(duck, tables.scalars, scales.get(name)!, bins);
      const correlations = columns.inputs.map(({ name: input }) => ({
        input,
        pearson: pearson.get(name)?.get(input) ?? null,
        spearman: spearman.get(name)?.get(input) ?? null,
      }));
      described.push({ output: name, missing: rows - own.n, ...own, correlations });
    }
    return {
      specs: { planned: options.planned ?? rows + failed, succeeded: rows, failed },
      outputs: described,
      failures: failed > 0 ? await failuresByInput(duck, tables, columns.inputs, regions) : [],
      rankRows: sample.positions.length,
      skipped: sample.unusable.filter(({ role }) => role === "output").map(({ name, reason }) => ({ name, reason })),
    };
  });
}

/** A column of finite numbers, and the same brought to −1 … 1, so that no sum of squares overflows. */
interface Scale {
  min: number | null;
  max: number | null;
  middle: number;
  half: number;
  /** SQL; null where there is no finite number. */
  finite: string;
  scaled: string;
}

async function scalesOf(duck: Duck, file: string, columns: readonly RunColumn[]): Promise<Map<string, Scale>> {
  if (columns.length === 0) return new Map();
  const finite = columns.map(({ name }) => {
    const value = `CAST(${identifier(name)} AS DOUBLE)`;
    return `CASE WHEN isfinite(${value}) THEN ${value} END`;
  });
  const ends = finite.map((sql, i) => `min(${sql}) AS min${i}, max(${sql}) AS max${i}`);
  const [row] = await duck.rows(`SELECT ${ends.join(", ")} FROM ${parquetRows(file)}`);
  return new Map(
    columns.map(({ name }, i) => {
      const [min, max] = [row![`min${i}`], row![`max${i}`]] as (number | null)[];
      const middle = (min ?? 0) / 2 + (max ?? 0) / 2;
      const half = (max ?? 0) / 2 - (min ?? 0) / 2;
      const scaled = half > 0 ? `((${finite[i]}) - (${double(middle)})) / ${double(half)}` : "NULL::DOUBLE";
      return [name, { min: min!, max: max!, middle, half, finite: finite[i]!, scaled }];
    }),
  );
}

/** A number as SQL, to the last bit. */
function double(value: number): string {
  return `'${value}'::DOUBLE`;
}

type Distribution = Omit<OutputDescription, "output" | "missing" | "correlations">;

async function distributionOf(duck: Duck, file: string, scale: Scale, bins: number): Promise<Distribution> {
  const { min, max, middle, half, finite, scaled } = scale;
  const from = `FROM (SELECT ${finite} AS x, ${scaled} AS u FROM ${parquetRows(file)})`;
  const moments = `count(x)::DOUBLE AS n, avg(u) AS mean, stddev_samp(u) AS sd, skewness(u) AS skew`;
  const [row] = await duck.rows(`SELECT ${moments}, quantile_cont(x, [${QUANTILES}]) AS quantiles ${from}`);
  const found = row as { n: number; mean: number | null; sd: number | null; skew: number | null; quantiles: unknown };
  const { n } = found;
  const place = `least(floor((u + 1) / 2 * ${bins}), ${bins - 1})`;
  const counted = await duck.rows(
    `SELECT ${place} AS bin, count(*)::DOUBLE AS n ${from} WHERE u IS NOT NULL GROUP BY bin`,
  );
  const histogram = new Array<number>(n > 0 ? bins : 0).fill(0);
  for (const own of counted) histogram[own.bin as number] = own.n as number;
  if (n > 0 && half === 0) histogram[0] = n;
  return {
    n,
    mean: n === 0 ? null : middle + half * (found.mean ?? 0),
    sd: n < 2 ? null : half * (found.sd ?? 0),
    skew: n > 2 && half > 0 ? found.skew : null,
    ...{ min, max },
    quantiles: n === 0 ? [] : QUANTILES.map((p, i) => ({ p, value: (found.quantiles as number[])[i]! })),
    histogram,
  };
}

/** Output → input → correlation; from rows that have both. */
type Correlations = Map<string, Map<string, number | null>>;

async function pearsonOf(
  duck: Duck,
  file: string,
  outputs: readonly RunColumn[],
  inputs: readonly RunColumn[],
  scales: ReadonlyMap<string, Scale>,
): Promise<Correlations> {
  const pairs = outputs.flatMap((output) => inputs.map((input) => ({ output: output.name, input: input.name })));
  const usable = pairs.filter((pair) => [pair.output, pair.input].every((name) => scales.get(name)!.half > 0));
  const found: Correlations = new Map(outputs.map(({ name }) => [name, new Map()]));
  if (usable.length === 0) return found;
  const all = usable.map(
    ({ output, input }, i) => `corr(${scales.get(output)!.scaled}, ${scales.get(input)!.scaled}) AS c${i}`,
  );
  const [row] = await duck.rows(`SELECT ${all.join(", ")} FROM ${parquetRows(file)}`);
  for (const [i, { output, input }] of usable.entries()) found.get(output)!.set(input, finiteOrNull(row![`c${i}`]));
  return found;
}

/** Of numbers and booleans; a rank needs an order. */
function spearmanOf({ inputs, outputs }: Observations): Correlations {
  const ordered = inputs.filter(({ levels }) => !levels || isBoolean(levels)).map(rankable);
  return new Map(
    outputs.map((output) => {
      const own = rankable(output);
      return [output.name, new Map(ordered.map((input) => [input.name, rankCorrelation(input, own)]))];
    }),
  );
}

/** A column, and the ranks of its values if it has one in each row. */
interface Rankable {
  name: string;
  values: Float64Array;
  ranks: Float64Array | undefined;
}

function rankable({ name, values }: { name: string; values: Float64Array }): Rankable {
  return { name, values, ranks: values.every(Number.isFinite) ? ranks(values) : undefined };
}

function isBoolean(levels: readonly string[]): boolean {
  return levels[0] === "false" && levels[1] === "true";
}

function rankCorrelation(x: Rankable, y: Rankable): number | null {
  const both = (_: number, i: number) => Number.isFinite(x.values[i]) && Number.isFinite(y.values[i]);
  const [a, b] = x.ranks && y.ranks ? [x.ranks, y.ranks] : [ranks(x.values.filter(both)), ranks(y.values.filter(both))];
  const middle = (a.length + 1) / 2;
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    ab += (a[i]! - middle) * (b[i]! - middle);
    aa += (a[i]! - middle) ** 2;
    bb += (b[i]! - middle) ** 2;
  }
  return finiteOrNull(ab / Math.sqrt(aa * bb));
}

function finiteOrNull(value: unknown): number | null {
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}
