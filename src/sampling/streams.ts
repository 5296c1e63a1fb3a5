import { type Random, randomFrom } from "./random.ts";

/** What random numbers are drawn for. Each use has streams of its own; a number here never changes its meaning. */
const USES = { points: 1, latin: 2, exchange: 3, sobol: 4, halton: 5, morris: 6 } as const;

/** Beyond every `sort_index`, whose streams belong to the specs themselves. */
const FIRST_STREAM = 2 ** 52;

/**
 * Streams of random numbers for one use, unrelated to those of other uses and to those that specs draw from when the run
 * has the same seed.
 */
export function streamsFor(seed: number, use: keyof typeof USES): (index: number) => Random {
  const own = randomFrom(seed, FIRST_STREAM + USES[use])() * 2 ** 53;
  return (index) => randomFrom(own, index);
}

/** Uniform among all of 32 bits, as a signed number: such are what JavaScript's bit operations are quick with. */
export function bits32(random: Random): number {
  return Math.floor(random() * 2 ** 32) | 0;
}
