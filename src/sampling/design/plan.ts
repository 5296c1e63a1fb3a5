import { ScytheError } from "../../errors.ts";
import { toJson } from "../../json.ts";
import { assertKnownKeys, type Keys } from "../../known-keys.ts";
import { LONGEST_SEQUENCE } from "../points/point-set.ts";
import { type FieldSampler, type Space, samplerOf } from "../space/space.ts";
import { checkWhole } from "../whole-number.ts";
import { DESIGN_KINDS, type DesignOptions, kindOf } from "./design-kinds.ts";
import type { DesignName } from "./names.ts";

/** What one asks for. */
export interface DesignRequest {
  /** Default `sobol`, which can be continued. */
  design?: DesignName;
  /** Points: of `morris` trajectories, of `saltelli` points of the base sequence. `grid` and `oat` have their own number. */
  n?: number;
  /** Whole number from 0 to 2^53 − 1 (default 0). */
  seed?: number;
  options?: DesignOptions;
  space: Space;
  /** A condition between fields: only specs for which it gives true are kept. */
  where?: Where;
}

/** A condition between fields: true for a spec that is kept. */
export type Where = (spec: Readonly<Record<string, unknown>>) => boolean;

/** A design as plain data, as manifests and study files hold it. The same data gives the same specs, everywhere. */
export interface DesignDescription {
  design: DesignName;
  /** All that this kind of design has. */
  options: DesignOptions;
  seed: number;
  space: Space;
  /** The text of the condition; to make the design again, the condition itself must be given again. */
  where?: string;
  points: DesignPoints;
}

/** Which points of the design's own sequence these are. */
export interface DesignPoints {
  /** Position of the first. */
  first: number;
  /** How many are kept. Of a closed design with a condition: how many are looked at. */
  count: number;
  /** The position where one goes on, once known; absent without a condition: `first + count`. */
  end?: number;
}

const REQUEST: Keys<DesignRequest> = { design: true, n: true, seed: true, options: true, space: true, where: true };

/**
 * Checks a request and fills in what was left out.
 * @throws ScytheError `invalid_input` naming what is wrong
 */
export function planDesign(request: DesignRequest): DesignDescription {
  assertKnownKeys(request, REQUEST, "A design");
  const { design = "sobol", n, seed = 0, options = {}, space, where } = request;
  const kind = kindOf(design);
  checkWhole(seed, 0, Number.MAX_SAFE_INTEGER, "seed");
  const samplers = variedSamplers(space);
  if (!kind.sized || n !== undefined) checkCount(n);
  const filled = filledOptions(design, options, n ?? 1, samplers);
  const count = kind.sized ? kind.points({ samplers, count: 1, seed, options: filled }).size : n!;
  if (n !== undefined && n !== count) {
    throw new ScytheError("invalid_input", `This ${kind.title} has ${count} points, not ${n}`, {
      hint: "Leave n out: its size follows from the levels of its fields.",
    });
  }
  const description: DesignDescription = { design, options: filled, seed, space, points: { first: 0, count } };
  if (where) description.where = String(where);
  checkEnd(description, samplers);
  return description;
}

/**
 * The next `n` points of a design that can be continued, such that those it has and these are one longer design.
 * @throws ScytheError `invalid_input` for a design that cannot be continued, or whose end is not known
 */
export function nextPoints(description: DesignDescription, n: number): DesignDescription {
  const kind = kindOf(description.design);
  if (!kind.extensible) {
    throw new ScytheError("invalid_input", `A ${kind.title} cannot be extended: its size is part of it`, {
      hint: "Make a larger one, or choose a design that can be continued: sobol, halton, random, morris or saltelli.",
    });
  }
  checkCount(n);
  const next = { ...description, points: { first: endOf(description), count: n } };
  checkEnd(next, variedSamplers(description.space));
  return next;
}

/** Both designs as the one that they are together. @param next what {@link nextPoints} of `before` gave, its end known */
export function joinedDesign(before: DesignDescription, next: DesignDescription): DesignDescription {
  const { first, count } = before.points;
  const points: DesignPoints = { first, count: count + next.points.count };
  if (next.points.end !== undefined) points.end = next.points.end;
  return { ...before, points };
}

/** The position after the last point. */
export function endOf({ points, where }: DesignDescription): number {
  if (points.end !== undefined) return points.end;
  if (where === undefined) return points.first + points.count;
  throw new ScytheError("invalid_input", "The design has a condition, and does not say where its points end", {
    hint: "Make its specs first: what was looked at is known then.",
  });
}

/** What its maker should know before it is run. */
export function designWarnings({ design, options, points, where }: DesignDescription): string[] {
  const kind = DESIGN_KINDS[design];
  const warnings: string[] = [];
  const total = points.first + points.count;
  if (kind.powersOfTwo && where === undefined && !Number.isInteger(Math.log2(total))) {
    const below = 2 ** Math.floor(Math.log2(total));
    warnings.push(`A ${kind.title} of ${total} points is not balanced: take ${2 * below} or ${below}, a power of two.`);
  }
  if (design !== "halton" && options.scramble === "none" && points.first === 0) {
    warnings.push("Without scrambling, the first point lies at the lower end of every field.");
  }
  if (design === "lhs" && where !== undefined) {
    warnings.push("A condition takes points out of a Latin hypercube: its strata are no longer all filled.");
  }
  return warnings;
}

/** The fields that the design varies, in the order of its dimensions. @throws ScytheError when there is none */
export function variedSamplers(space: Space): FieldSampler[] {
  const samplers = space.map(samplerOf).filter((sampler) => sampler.varied);
  if (samplers.length > 0) return samplers;
  throw new ScytheError("invalid_input", "Every field has one value: there is nothing to vary", {
    hint: "Give a field a distribution, or run the one spec there is.",
  });
}

function checkCount(n: number | undefined): void {
  checkWhole(n, 1, LONGEST_SEQUENCE, "n, the number of points,", "Say how many points the design shall have.");
}

/** @throws ScytheError `invalid_input` when the sequence ends before */
function checkEnd({ design, options, points, seed }: DesignDescription, samplers: readonly FieldSampler[]): void {
  const kind = DESIGN_KINDS[design];
  const { size } = kind.points({ samplers, count: points.count, seed, options });
  const most = Math.floor(size / kind.rows(samplers.length, options));
  if (points.first + points.count <= most) return;
  throw new ScytheError("invalid_input", `A ${kind.title} ends after ${most} points`, {
    hint: `It has ${points.first} already: ask for at most ${most - points.first}.`,
  });
}

function filledOptions(
  design: DesignName,
  options: DesignOptions,
  count: number,
  samplers: readonly FieldSampler[],
): DesignOptions {
  const kind = DESIGN_KINDS[design];
  assertKnownKeys(options, known(kind.options), `The design ${design}`);
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  const filled: DesignOptions = { ...kind.defaults(count), ...given };
  checkOneOf("scramble", filled.scramble, design === "halton" ? ["owen", "none"] : ["owen", "shift", "none"]);
  checkOneOf("optimise", filled.optimise, ["none", "discrepancy", "maximin"]);
  checkOneOf("centred", filled.centred, [true, false]);
  checkOneOf("secondOrder", filled.secondOrder, [true, false]);
  checkLevels(design, filled.levels, samplers);
  return filled;
}

function checkOneOf(option: string, value: unknown, choices: readonly unknown[]): void {
  if (value === undefined || choices.includes(value)) return;
  throw new ScytheError("invalid_input", `${option} cannot be ${toJson(value)}`, {
    hint: `Choose one of ${choices.join(", ")}.`,
  });
}

function checkLevels(design: DesignName, levels: DesignOptions["levels"], samplers: readonly FieldSampler[]): void {
  if (levels === undefined) return;
  if (typeof levels === "object" && design !== "morris") {
    assertKnownKeys(levels, known(samplers.map(({ name }) => name)), "levels");
    for (const [name, count] of Object.entries(levels)) checkWhole(count, 1, 2 ** 31, `levels of ${name}`);
  } else checkWhole(levels, 1, 2 ** 31, "levels");
}

function known(names: readonly string[]): Record<string, true> {
  return Object.fromEntries(names.map((name) => [name, true as const]));
}
