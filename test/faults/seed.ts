import { appendFileSync } from "node:fs";
import { describe } from "vitest";

/**
 * What goes wrong, and where, follows from one number: SCYTHE_FAULT_SEED repeats a run of the suite in the same form.
 * `npm test` runs the short form: a few cases of each family, drawn by the seed. SCYTHE_FAULT_FORM=full runs them all;
 * SCYTHE_FAULT_MINUTES asks for the long form, in which each family goes on for that long.
 */
export const SEED = Number(process.env.SCYTHE_FAULT_SEED ?? Math.floor(Math.random() * 2 ** 31));
const MINUTES = Number(process.env.SCYTHE_FAULT_MINUTES ?? 0);
export const LONG = MINUTES > 0;
export const FULL = LONG || process.env.SCYTHE_FAULT_FORM === "full";
/** What to set in the environment to repeat this run. */
export const REPEAT = `SCYTHE_FAULT_SEED=${SEED}${FULL ? " SCYTHE_FAULT_FORM=full" : ""}`;

export interface Random {
  /** A whole number from 0 to below `n`. */
  below(n: number): number;
  pick<T>(items: readonly T[]): T;
  chance(share: number): boolean;
}

/** Mulberry32: small, seeded, good enough to choose faults by. */
export function seeded(seed: number): Random {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (n: number) => Math.floor(next() * n);
  return { below, pick: (items) => items[below(items.length)]!, chance: (share) => next() < share };
}

export interface Outcome {
  /** How often the fault was done to the run. */
  injected: number;
  lost: number;
  twice: number;
}

/** All of `items`; in the short form `short` of them, drawn by the seed, in their order. */
export function drawn<T>(items: readonly T[], short: number): T[] {
  if (FULL) return [...items];
  const random = seeded(SEED);
  const left = items.map((_, index) => index);
  const chosen = new Set(items.slice(0, short).map(() => left.splice(random.below(left.length), 1)[0]!));
  return items.filter((_, index) => chosen.has(index));
}

/** A family of faults; says at once how to repeat it. */
export function family(name: string, body: () => void): void {
  describe(`${name} (${REPEAT})`, () => {
    console.warn(`faults: ${name}: ${REPEAT}`);
    body();
  });
}

/** Time for a test that runs `forEachCase`. */
export const CASES_MS = LONG ? MINUTES * 60_000 + 900_000 : FULL ? 900_000 : 240_000;

/** How many cases a family has in the short form and in the full one, of which the short form's are the first. */
export interface Cases {
  short: number;
  full: number;
}

/**
 * Runs case after case, each with random numbers of its own; in the long form as many as there is time for, and no fewer
 * than in the full one. A case that fails says which one it was.
 */
export async function forEachCase(
  fault: string,
  { short, full }: Cases,
  work: (random: Random, index: number) => Promise<Outcome>,
): Promise<void> {
  const end = performance.now() + MINUTES * 60_000;
  const cases = FULL ? full : short;
  for (let index = 0; index < cases || (LONG && performance.now() < end); index++) {
    let outcome: Outcome;
    try {
      outcome = await work(seeded(SEED + 7_919 * index), index);
    } catch (error) {
      note(fault, { injected: 1, lost: Number.NaN, twice: Number.NaN });
      throw new Error(`${fault}, case ${index}, ${REPEAT}: ${(error as Error).message}`, {
        cause: error,
      });
    }
    note(fault, outcome);
  }
}

/** One line for the table that `npm run test:faults` prints at the end. */
export function note(fault: string, outcome: Outcome): void {
  const ledger = process.env.SCYTHE_FAULT_LEDGER;
  if (ledger) appendFileSync(ledger, `${JSON.stringify({ fault, seed: SEED, ...outcome })}\n`);
}
