import { appendFileSync } from "node:fs";
import { describe } from "vitest";

/**
 * What goes wrong, and where, follows from one number: SCYTHE_FAULT_SEED repeats a run of the suite.
 * SCYTHE_FAULT_MINUTES asks for the long form: each family goes on for that long.
 */
export const SEED = Number(process.env.SCYTHE_FAULT_SEED ?? Math.floor(Math.random() * 2 ** 31));
const MINUTES = Number(process.env.SCYTHE_FAULT_MINUTES ?? 0);
export const LONG = MINUTES > 0;

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

/** A family of faults; says at once how to repeat it. */
export function family(name: string, body: () => void): void {
  describe(`${name} (SCYTHE_FAULT_SEED=${SEED})`, () => {
    console.warn(`faults: ${name}: SCYTHE_FAULT_SEED=${SEED}`);
    body();
  });
}

/** Time for a test that runs `forEachCase`. */
export const CASES_MS = LONG ? MINUTES * 60_000 + 300_000 : 240_000;

/**
 * Runs case after case, each with random numbers of its own: `short` of them, or as many as the long form has time for.
 * A case that fails says which one it was.
 */
export async function forEachCase(
  fault: string,
  short: number,
  work: (random: Random, index: number) => Promise<Outcome>,
): Promise<void> {
  const end = performance.now() + MINUTES * 60_000;
  for (let index = 0; LONG ? performance.now() < end || index < short : index < short; index++) {
    let outcome: Outcome;
    try {
      outcome = await work(seeded(SEED + 7_919 * index), index);
    } catch (error) {
      note(fault, { injected: 1, lost: Number.NaN, twice: Number.NaN });
      throw new Error(`${fault}, case ${index}, SCYTHE_FAULT_SEED=${SEED}: ${(error as Error).message}`, {
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
