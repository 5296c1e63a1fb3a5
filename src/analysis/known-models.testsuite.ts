import { type Random, randomFrom } from "../sampling/random.ts";

/** Functions of the unit cube whose indices are known. */
export interface KnownModel {
  dimensions: number;
  value: (u: readonly number[]) => number;
  first: number[];
  total: number[];
}

/** Ishigami & Homma 1990, with a = 7, b = 0.1; x1 and x3 interact. */
export function ishigami(): KnownModel & { second13: number } {
  const [a, b] = [7, 0.1];
  const main1 = 0.5 * (1 + (b * Math.PI ** 4) / 5) ** 2;
  const main2 = a ** 2 / 8;
  const joint13 = (8 * b ** 2 * Math.PI ** 8) / 225;
  const variance = main1 + main2 + joint13;
  return {
    dimensions: 3,
    value: (u) => {
      const [x1, x2, x3] = u.map((v) => Math.PI * (2 * v - 1));
      return Math.sin(x1!) + a * Math.sin(x2!) ** 2 + b * x3! ** 4 * Math.sin(x1!);
    },
    first: [main1 / variance, main2 / variance, 0],
    total: [(main1 + joint13) / variance, main2 / variance, joint13 / variance],
    second13: joint13 / variance,
  };
}

/** Sobol's g function. */
export function sobolG(a: readonly number[]): KnownModel {
  const main = a.map((own) => 1 / (3 * (1 + own) ** 2));
  const product = (values: readonly number[]) => values.reduce((all, value) => all * (1 + value), 1);
  const variance = product(main) - 1;
  return {
    dimensions: a.length,
    value: (u) => a.reduce((all, own, j) => (all * (Math.abs(4 * u[j]! - 2) + own)) / (1 + own), 1),
    first: main.map((own) => own / variance),
    total: main.map((own) => (own * product(main)) / (1 + own) / variance),
  };
}

export function linear(slopes: readonly number[]): KnownModel {
  const squares = slopes.reduce((sum, slope) => sum + slope ** 2, 0);
  const shares = slopes.map((slope) => slope ** 2 / squares);
  return {
    dimensions: slopes.length,
    value: (u) => slopes.reduce((sum, slope, j) => sum + slope * u[j]!, 0),
    first: shares,
    total: shares,
  };
}

/** Rows of the unit cube: `points[row][input]`. */
export type Points = number[][];

function point(random: Random, dimensions: number): number[] {
  return Array.from({ length: dimensions }, () => random());
}

export function randomPoints(dimensions: number, count: number, seed: number): Points {
  const random = randomFrom(seed, 0);
  return Array.from({ length: count }, () => point(random, dimensions));
}

/** Saltelli's cross-samples of independent random base points, in SALib's order. */
export function crossedPoints(dimensions: number, count: number, seed: number, secondOrder: boolean): Points {
  const random = randomFrom(seed, 1);
  return Array.from({ length: count }, () => {
    const [a, b] = [point(random, dimensions), point(random, dimensions)];
    const ab = a.map((_, j) => a.with(j, b[j]!));
    const ba = secondOrder ? a.map((_, j) => b.with(j, a[j]!)) : [];
    return [a, ...ab, ...ba, b];
  }).flat();
}

/** Morris trajectories, in SALib's form. */
export function trajectoryPoints(dimensions: number, count: number, seed: number, levels: number): Points {
  const random = randomFrom(seed, 2);
  const half = levels / 2;
  return Array.from({ length: count }, () => {
    const start = Array.from({ length: dimensions }, () => random.integer(0, levels - 1));
    const order = start.map((_, j) => j).sort(() => random() - 0.5);
    const rows = [start];
    for (const j of order) {
      const last = rows.at(-1)!;
      rows.push(last.with(j, last[j]! < half ? last[j]! + half : last[j]! - half));
    }
    return rows.map((row) => row.map((level) => level / (levels - 1)));
  }).flat();
}

export function valuesAt({ value }: Pick<KnownModel, "value">, points: Points): Float64Array {
  return Float64Array.from(points, value);
}

/** Points as columns. */
export function columnsOf(points: Points): Float64Array[] {
  return (points[0] ?? []).map((_, j) => Float64Array.from(points, (row) => row[j]!));
}
