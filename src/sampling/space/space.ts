import { ScytheError } from "../../errors.ts";
import { evenLevels } from "../points/grid.ts";
import { parseDistribution } from "./distribution-text.ts";
import { type Continuous, type Discrete, type Distribution, isContinuous } from "./distributions.ts";
import { nextAbove, quantileOf, quantilesOf, replaced } from "./quantiles.ts";

/** How one field of the specs is spread: plain data, as manifests and study files hold it. */
export interface SpaceField {
  name: string;
  /** `value` for whatever is taken from a list: texts, booleans, files. */
  type: "number" | "integer" | "bigint" | "value";
  /** The text form: `loguniform:0.5,15`. */
  distribution: string;
  /** Numbers are whole multiples of it; of integers, 1. */
  step?: number;
  /** A bound that the schema excludes. */
  above?: number;
  below?: number;
  /** From the end of the field's description: `[W/m2]`. */
  unit?: string;
}

/** The fields that a design fills, in the schema's order. */
export type Space = readonly SpaceField[];

/** A field, ready to turn coordinates of the unit cube into values. */
export interface FieldSampler {
  readonly name: string;
  /** A field of one value takes no dimension of the design. */
  readonly varied: boolean;
  /** The value at a coordinate in [0, 1]. */
  at(u: number): unknown;
  /** The values at some coordinates, as {@link at} gives them; numbers take the coordinates' places in their array. */
  values(coordinates: Float64Array): Float64Array | unknown[];
  /** True when 0 and 1 stand for two bounds of a continuous range, so that a level may lie on them. */
  readonly closed: boolean;
  /** The coordinate that stays while other fields change one at a time: of numbers the middle, of a list its first value. */
  readonly base: number;
  /** Coordinates of its levels in a grid; `levels` is not needed where the field has a list of its own. */
  axis(levels: number | undefined): Float64Array;
}

/** @throws ScytheError `invalid_input` naming the field whose distribution holds nothing */
export function samplerOf(field: SpaceField): FieldSampler {
  const distribution = parseDistribution(field.distribution);
  if (!isContinuous(distribution)) return listSampler(field, distribution);
  const step = field.type === "number" ? field.step : (field.step ?? 1);
  return step === undefined ? realSampler(field, distribution) : steppedSampler(field, distribution, step);
}

function listSampler({ name, type }: SpaceField, distribution: Exclude<Distribution, Continuous>): FieldSampler {
  const values = listOf(distribution).map((value) =>
    type === "bigint" && typeof value === "number" ? BigInt(value) : value,
  );
  const count = values.length;
  const ends = distribution.kind === "discrete" ? shareEnds(distribution) : undefined;
  const index = (u: number) => (ends ? firstAbove(ends, u) : Math.min(Math.floor(u * count), count - 1));
  const axis = ends ? ends.map((end, i) => (end + (ends[i - 1] ?? 0)) / 2) : evenLevels(count, false);
  return {
    ...{ name, varied: count > 1, closed: false, base: axis[0]! },
    at: (u) => values[index(u)],
    values: (coordinates) => Array.from(coordinates, (u) => values[index(u)]),
    axis: () => axis,
  };
}

function listOf(distribution: Exclude<Distribution, Continuous>): readonly unknown[] {
  if (distribution.kind === "fixed") return [distribution.value];
  return distribution.kind === "files" ? distribution.paths : distribution.values;
}

/** Where the share of each value ends; undefined for equal shares. */
function shareEnds({ weights }: Discrete): Float64Array | undefined {
  if (!weights) return undefined;
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let sum = 0;
  const ends = Float64Array.from(weights, (weight) => {
    sum += weight;
    return sum / total;
  });
  ends[ends.length - 1] = 1;
  return ends;
}

/** The first share whose end lies above `u`; the last for 1. */
function firstAbove(ends: Float64Array, u: number): number {
  let low = 0;
  let high = ends.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ends[middle]! > u) high = middle;
    else low = middle + 1;
  }
  return low;
}

function realSampler(field: SpaceField, distribution: Continuous): FieldSampler {
  const { name, above, below } = field;
  const quantile = quantileOf(distribution);
  const closed = distribution.kind !== "normal" && above === undefined && below === undefined;
  const at = (u: number) => {
    const value = quantile(u);
    if (above !== undefined && value <= above) return nextAbove(above);
    if (below !== undefined && value >= below) return -nextAbove(-below);
    return value;
  };
  const free = above === undefined && below === undefined;
  return {
    ...{ name, varied: true, closed, at, base: 0.5 },
    values: free ? quantilesOf(distribution) : (coordinates) => replaced(coordinates, at),
    axis: (levels) => evenLevels(neededLevels(levels, name), closed),
  };
}

/** Multiples of a step. Each has the share that numbers nearest to it have; the outermost ones, too. */
function steppedSampler(field: SpaceField, distribution: Continuous, step: number): FieldSampler {
  const { name } = field;
  const value = valueOfIndex(field, step);
  const [least, most] = indexRange(field, distribution, step);
  if (least > most) {
    throw new ScytheError("invalid_input", `${name}: ${field.distribution} holds no ${multipleName(step)}`, {
      hint: "Widen its bounds.",
      details: { field: name },
    });
  }
  const count = most - least + 1;
  const common = { name, varied: count > 1, closed: false, base: 0.5 };
  const valuesBy = (at: (u: number) => number | bigint): FieldSampler["values"] =>
    field.type === "bigint"
      ? (coordinates) => Array.from(coordinates, at)
      : (coordinates) => replaced(coordinates, at as (u: number) => number);
  if (distribution.kind === "uniform") {
    const at = (u: number) => value(least + Math.min(Math.floor(u * count), count - 1));
    return {
      ...{ ...common, at, values: valuesBy(at) },
      axis: (levels) =>
        levels === undefined || levels >= count
          ? evenLevels(count, false)
          : evenLevels(levels, true).map((u) => (Math.round(u * (count - 1)) + 0.5) / count),
    };
  }
  const quantile = quantileOf(widened(distribution, (least - 0.5) * step, (most + 0.5) * step));
  const index = (u: number) => Math.min(Math.max(Math.round(quantile(u) / step), least), most);
  const at = (u: number) => value(index(u));
  return {
    ...{ ...common, at, values: valuesBy(at) },
    axis: (levels) =>
      evenLevels(neededLevels(levels, name), false).filter((u, i, all) => i === 0 || index(u) !== index(all[i - 1]!)),
  };
}

function indexRange(field: SpaceField, distribution: Continuous, step: number): [least: number, most: number] {
  if (distribution.kind === "normal") return [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  const tolerance = step === 1 ? 0 : 1e-9; // 0.3 / 0.1 is a little less than 3
  let least = Math.ceil(distribution.low / step - tolerance);
  let most = Math.floor(distribution.high / step + tolerance);
  if (field.above !== undefined && least * step <= field.above) least++;
  if (field.below !== undefined && most * step >= field.below) most--;
  const outermost = Math.max(Math.abs(least), Math.abs(most));
  if (outermost <= 2 ** 51) return [least + 0, most + 0];
  throw new ScytheError("invalid_input", `${field.name}: ${field.distribution} has bounds beyond 2^51`, {
    hint: "Such whole numbers cannot be told apart: narrow the bounds.",
    details: { field: field.name },
  });
}

function valueOfIndex({ type }: SpaceField, step: number): (index: number) => number | bigint {
  if (type === "bigint") return (index) => BigInt(index) * BigInt(step);
  if (Number.isInteger(step)) return (index) => index * step;
  return (index) => Number((index * step).toPrecision(15));
}

function widened(distribution: Continuous, low: number, high: number): Continuous {
  return distribution.kind === "normal" ? distribution : { ...distribution, low, high };
}

function multipleName(step: number): string {
  return step === 1 ? "whole number" : `multiple of ${step}`;
}

function neededLevels(levels: number | undefined, name: string): number {
  if (levels !== undefined) return levels;
  throw new ScytheError("invalid_input", `A grid needs to know how many levels ${name} has`, {
    hint: `Say it for every such field (--option levels=5), or for this one (--option levels.${name}=5; in code levels: { ${name}: 5 }).`,
    details: { field: name },
  });
}
