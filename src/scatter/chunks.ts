import type { Range } from "./tree.ts";

/** Time budget of a chunk whose cost nobody knows yet. */
export const PROBE_BUDGET_MS = 300;
/** Shortest and longest planned work of a chunk, in seconds. */
const SECONDS = { min: 2, max: 10 };
/** Most specs of a measured chunk: its rows stay in memory until its part is written. */
const MAX_SPECS = 65_536;
/** A run should have about this many chunks per slot: long runs get longer chunks. */
const CHUNKS_PER_SLOT = 8;
/** The last chunks shrink to this many seconds, so that all slots end at about the same time. */
const LAST_SECONDS = 0.05;
/** A leaf that runs this many times longer than planned hands back the rest of its range. */
const OVERRUN = 4;
/**
 * A wave covers at most this many times the specs measured so far. A first measurement on a busy machine, or of a
 * function that loads something, must not cut the whole run into tiny chunks.
 */
export const GROWTH = 64;
/** Most ranges of one wave, to bound the size of a plan; the rest gets another wave. */
export const MAX_RANGES = 2_000;

export interface Wave {
  ranges: Range[];
  /** A leaf stops after this long, between two specs, and hands back the rest of its range; null = never. */
  timeBudgetMs: number | null;
}

/** What the leaves have cost so far. */
export interface Measured {
  specs: number;
  /** Sum over all slots. */
  seconds: number;
}

/** The first wave covers all specs evenly, with a short time budget: a small run needs no second wave. */
export function probeWave(todo: readonly Range[], chunks: number): Wave {
  const size = total(todo);
  return { ranges: cut(todo, () => Math.max(1, Math.ceil(size / Math.max(1, chunks)))), timeBudgetMs: PROBE_BUDGET_MS };
}

/** Chunks of a size fixed by the user, without a time budget. */
export function fixedWave(todo: readonly Range[], chunkSize: number): Wave {
  return { ranges: cut(todo, () => chunkSize), timeBudgetMs: null };
}

/**
 * Guided self-scheduling (Polychronopoulos & Kuck, IEEE Trans. Computers C-36(12), 1987): a chunk is a share of what is
 * left, bounded to a few seconds of measured work. So chunks are few, and slots still end together.
 */
export function measuredWave(todo: readonly Range[], measured: Measured, slots: number): Wave {
  const rate = measured.specs / Math.max(measured.seconds, 1e-6);
  const covered = first(todo, Math.max(slots, measured.specs) * GROWTH);
  const estimate = total(todo) / rate / slots;
  const seconds = Math.min(SECONDS.max, Math.max(SECONDS.min, estimate / CHUNKS_PER_SLOT));
  const most = Math.max(1, Math.min(MAX_SPECS, Math.round(rate * seconds)));
  const least = Math.max(1, Math.min(most, Math.round(rate * LAST_SECONDS)));
  const ranges = cut(covered, (left) => Math.max(least, Math.min(most, Math.ceil(left / (2 * slots)))));
  return { ranges, timeBudgetMs: Math.round(seconds * 1000 * OVERRUN) };
}

/** The first `most` specs of the ranges. */
function first(todo: readonly Range[], most: number): Range[] {
  const ranges: Range[] = [];
  let left = most;
  for (const { from, to } of todo) {
    if (left <= 0) break;
    ranges.push({ from, to: Math.min(to, from + left) });
    left -= to - from;
  }
  return ranges;
}

function total(ranges: readonly Range[]): number {
  return ranges.reduce((sum, { from, to }) => sum + to - from, 0);
}

/** Cuts ranges into chunks of `sizeFor(specs left)` specs. */
function cut(todo: readonly Range[], sizeFor: (left: number) => number): Range[] {
  const ranges: Range[] = [];
  let left = total(todo);
  for (const { from, to } of todo) {
    for (let at = from; at < to; ) {
      if (ranges.length === MAX_RANGES) return ranges;
      const end = Math.min(to, at + sizeFor(left));
      ranges.push({ from: at, to: end });
      left -= end - at;
      at = end;
    }
  }
  return ranges;
}
