import { ScytheError } from "../../errors.ts";
import { toJson } from "../../json.ts";
import { didYouMean } from "../../known-keys.ts";
import { grid, oneAtATime } from "../points/grid.ts";
import { halton } from "../points/halton.ts";
import { latinHypercube } from "../points/latin-hypercube.ts";
import { morris } from "../points/morris.ts";
import type { PointSet } from "../points/point-set.ts";
import { randomPoints } from "../points/random-points.ts";
import { saltelli, saltelliRows } from "../points/saltelli.ts";
import { sobol } from "../points/sobol.ts";
import type { FieldSampler } from "../space/space.ts";
import type { DesignName } from "./names.ts";

/** What a design can be told beyond its size and seed. Each has some of these. */
export interface DesignOptions {
  /** `sobol`, `saltelli` (owen, shift, none), `halton` (owen, none): how the sequence is made random. Default owen. */
  scramble?: "owen" | "shift" | "none";
  /** `lhs`: what exchanges improve. Default discrepancy for up to 1,000 points, else none. */
  optimise?: "none" | "discrepancy" | "maximin";
  /** `lhs`: points in the middles of their strata. Default false. */
  centred?: boolean;
  /** `grid`, `oat`: values of each field that has a range, or of some by name. `morris`: an even number; default 4. */
  levels?: number | Readonly<Record<string, number>>;
  /** `saltelli`: also what second-order indices need. Default true. */
  secondOrder?: boolean;
}

/** What the points of a design are made from. */
export interface DesignInput {
  /** Of the fields that vary. */
  samplers: readonly FieldSampler[];
  count: number;
  seed: number;
  options: DesignOptions;
}

/** One kind of design. A point of it is what `-n` counts: of `morris` a trajectory, of `saltelli` a group of rows. */
export interface DesignKind {
  title: string;
  /** The options that it has. */
  options: readonly (keyof DesignOptions)[];
  /** Those that have a default, for so many points. */
  defaults(count: number): DesignOptions;
  /** Further points can follow, such that both together are one longer design. */
  extensible: boolean;
  /** Its size follows from the space. */
  sized: boolean;
  /** Well balanced after 2, 4, 8, … points only. */
  powersOfTwo: boolean;
  /** Specs that a point becomes. */
  rows(dimensions: number, options: DesignOptions): number;
  points(input: DesignInput): PointSet;
}

/** Above, the exchanges of a Latin hypercube take seconds. */
const OPTIMISED_UNASKED = 1000;

const ONE_ROW = { rows: () => 1 };
const SEQUENCE = { extensible: true, sized: false, powersOfTwo: false };
const CLOSED = { extensible: false, sized: false, powersOfTwo: false };

export const DESIGN_KINDS: Readonly<Record<DesignName, DesignKind>> = {
  grid: {
    ...{ ...CLOSED, ...ONE_ROW, sized: true, title: "full grid" },
    options: ["levels"],
    defaults: () => ({}),
    points: ({ samplers, options }) => grid(samplers.map((sampler) => sampler.axis(levelsOf(sampler, options)))),
  },
  oat: {
    ...{ ...CLOSED, ...ONE_ROW, sized: true, title: "one-at-a-time design" },
    options: ["levels"],
    defaults: () => ({}),
    points: ({ samplers, options }) => {
      const axes = samplers.map((sampler) => {
        const usual = sampler.at(sampler.base);
        return sampler.axis(levelsOf(sampler, options)).filter((u) => sampler.at(u) !== usual);
      });
      const base = samplers.map((sampler) => sampler.base);
      return oneAtATime(axes, base);
    },
  },
  random: {
    ...{ ...SEQUENCE, ...ONE_ROW, title: "random design" },
    options: [],
    defaults: () => ({}),
    points: ({ samplers, seed }) => randomPoints(samplers.length, { seed }),
  },
  lhs: {
    ...{ ...CLOSED, ...ONE_ROW, title: "Latin hypercube" },
    options: ["optimise", "centred"],
    defaults: (count) => ({ optimise: count <= OPTIMISED_UNASKED ? "discrepancy" : "none", centred: false }),
    points: ({ samplers, seed, count, options: { optimise = "none", centred = false } }) =>
      latinHypercube(count, samplers.length, { seed, optimise, centred }),
  },
  sobol: {
    ...{ ...SEQUENCE, ...ONE_ROW, powersOfTwo: true, title: "Sobol' design" },
    options: ["scramble"],
    defaults: () => ({ scramble: "owen" }),
    points: ({ samplers, seed, options: { scramble = "owen" } }) => sobol(samplers.length, { seed, scramble }),
  },
  halton: {
    ...{ ...SEQUENCE, ...ONE_ROW, title: "Halton design" },
    options: ["scramble"],
    defaults: () => ({ scramble: "owen" }),
    points: ({ samplers, seed, options }) =>
      halton(samplers.length, { seed, scramble: options.scramble === "none" ? "none" : "owen" }),
  },
  morris: {
    ...{ ...SEQUENCE, title: "Morris design" },
    options: ["levels"],
    defaults: () => ({ levels: 4 }),
    rows: (dimensions) => dimensions + 1,
    points: ({ samplers, seed, options }) => {
      const levels = options.levels as number;
      return levelsInside(morris(samplers.length, { seed, levels }), levels, samplers);
    },
  },
  saltelli: {
    ...{ ...SEQUENCE, powersOfTwo: true, title: "Saltelli design" },
    options: ["scramble", "secondOrder"],
    defaults: () => ({ scramble: "owen", secondOrder: true }),
    rows: (dimensions, { secondOrder = true }) => saltelliRows(dimensions, secondOrder),
    points: ({ samplers, seed, options: { scramble = "owen", secondOrder = true } }) =>
      saltelli(samplers.length, { seed, scramble, secondOrder }),
  },
};

/** @throws ScytheError `invalid_input` naming the nearest design that there is */
export function kindOf(design: string): DesignKind {
  if (Object.hasOwn(DESIGN_KINDS, design)) return DESIGN_KINDS[design as DesignName];
  const known = Object.keys(DESIGN_KINDS);
  throw new ScytheError("invalid_input", `There is no design ${toJson(design)}${didYouMean(String(design), known)}`, {
    hint: `There are: ${known.join(", ")}.`,
    details: { design, known },
  });
}

function levelsOf({ name }: FieldSampler, { levels }: DesignOptions): number | undefined {
  if (typeof levels !== "object") return levels;
  return Object.hasOwn(levels, name) ? levels[name] : undefined;
}

/** Levels on 0 and 1 are moved to the middles of equal shares for fields that have no bounds to lie on. */
function levelsInside(points: PointSet, levels: number, samplers: readonly FieldSampler[]): PointSet {
  return {
    ...points,
    fill(columns, first) {
      points.fill(columns, first);
      for (const [j, column] of columns.entries()) {
        if (samplers[j]!.closed) continue;
        for (let i = 0; i < column.length; i++) column[i] = (column[i]! * (levels - 1) + 0.5) / levels;
      }
    },
  };
}
