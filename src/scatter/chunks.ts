import type { Range } from "./tree.ts";

/** Time budget of a chunk whose cost nobody knows yet. */
export const PROBE_BUDGET_MS = 300;
/** Work of a chunk: at least and at most these, in seconds. */
const SECONDS = { least: 2, most: 10 };
/** Specs of a measured chunk at most: its rows are held in memory until its part is written. */
const MOST_SPECS = 65_536;
/** A run should have about this many chunks a slot: long runs get longer chunks. */
const CHUNKS_A_SLOT = 8;
/** The last chunks shrink to this, in seconds, so that all slots end at about the same time. */
const LAST_SECONDS = 0.05;
/** A leaf that runs this much longer than planned hands its rest back. */
const OVERRUN = 4;
/**
 * A wave covers this many times the specs that were measured: a first chunk that met a busy machine, or a function that
 * loads something, must not cut a whole run into tiny chunks.
 */
export const GROWTH = 64;
/** Ranges of one wave: bounds a plan's size; what is left gets a wave of its own. */
export const MAX_RANGES = 2_000;

export interface Wave {
  ranges: Range[];
  /** A leaf stops after this long, between two specs, and hands its rest back; null = never. */
  timeBudgetMs: number | null;
}

/** What the leaves so far have cost. */
export interface Measured {
  specs: number;
  /** Of all slots together. */
  seconds: number;
}

/** The first wave covers everything evenly, but each leaf stops after a moment: a small run needs no second wave. */
export function probeWave(todo: readonly Range[], chunks: number): Wave {
  const size = total(todo);
  return { ranges: cut(todo, () => Math.max(1, Math.ceil(size / Math.max(1, chunks)))), timeBudgetMs: PROBE_BUDGET_MS };
}

/** Chunks of the size that the user fixed; they have no time budget. */
export function fixedWave(todo: readonly Range[], chunkSize: number): Wave {
  return { ranges: cut(todo, () => chunkSize), timeBudgetMs: null };
}

/**
 * Guided self-scheduling (Polychronopoulos & Kuck, IEEE Trans. Computers C-36(12), 1987): a chunk is a share of what
 * is left, so that chunks are few and slots still end together; bounded to a few seconds of measured work.
 */
export function measuredWave(todo: readonly Range[], measured: Measured, slots: number): Wave {
  const rate = measured.specs / Math.max(measured.seconds, 1e-6);
  const covered = first(todo, Math.max(slots, measured.specs) * GROWTH);
  const estimate = total(todo) / rate / slots;
  const seconds = Math.min(SECONDS.most, Math.max(SECONDS.least, estimate / CHUNKS_A_SLOT));
  const most = Math.max(1, Math.min(MOST_SPECS, Math.round(rate * seconds)));
  const least = Math.max(1, Math.min(most, Math.round(rate * LAST_SECONDS)));
  const ranges = cut(covered, (left) => Math.max(least, Math.min(most, Math.ceil(left / (2 * slots)))));
  return { ranges, timeBudgetMs: Math.round(seconds * 1000 * OVERRUN) };
}

/** As much of the ranges as holds `most` specs. */
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

/** Cuts ranges into chunks of `sizeFor(what is left)`. */
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
