import type { NodePath } from "../run/layout.ts";
import type { Recursion } from "../run/manifest.ts";

/**
 * The tree as pure arithmetic. A node holds every `factor`-th position of its parent (grid stride), so that neighbours
 * in a sorted study, which often cost alike, are spread over the tree.
 */

/** Half-open range of positions within a node. */
export interface Range {
  from: number;
  to: number;
}

/** How many specs a node holds of a run of `total`. */
export function nodeSize(total: number, path: NodePath): number {
  return path.reduce((size, { factor, offset }) => Math.max(0, Math.ceil((size - offset) / factor)), total);
}

/** Converts a position in a node to the position in the run. */
export function runPosition(path: NodePath, at: number): number {
  return path.reduceRight((position, { factor, offset }) => offset + factor * position, at);
}

/** Whether a node splits: it has more specs than its factor and than one chunk, and depth is left. */
export function splits(size: number, depth: number, recursion: Recursion, chunkSize = 1): boolean {
  return depth < recursion.max_depth && recursion.factor > 1 && size > Math.max(recursion.factor, chunkSize);
}

/** The paths of a splitting node's children. None is empty, as a node splits only with more specs than children. */
export function childPaths(path: NodePath, factor: number): NodePath[] {
  return Array.from({ length: factor }, (_, offset) => [...path, { factor, offset }]);
}

/**
 * Of ranges that may overlap, those that follow one another without overlapping and together cover most of 0 … `size`:
 * what they leave out can be filled, and then all fit together (weighted interval scheduling).
 */
export function disjoint<R extends Range>(ranges: readonly R[], size: number): R[] {
  const byEnd = ranges.filter(({ from, to }) => to > from && to <= size).sort((a, b) => a.to - b.to);
  const covered = [0]; // by the first i ranges, at best
  const before = byEnd.map(({ from }) => countUpTo(byEnd, from));
  byEnd.forEach(({ from, to }, i) => {
    covered.push(Math.max(covered[i]!, covered[before[i]!]! + to - from));
  });
  const chosen: R[] = [];
  for (let i = byEnd.length; i > 0; ) {
    if (covered[i] === covered[i - 1]) i--;
    else {
      chosen.push(byEnd[i - 1]!);
      i = before[i - 1]!;
    }
  }
  return chosen.reverse();
}

/** Of ranges that may overlap, as when a chunk ran twice, those that cover 0 … `size` once; undefined when none do. */
export function cover<R extends Range>(ranges: readonly R[], size: number): R[] | undefined {
  const chosen = disjoint(ranges, size);
  return chosen.reduce((sum, { from, to }) => sum + to - from, 0) === size ? chosen : undefined;
}

/** How many of the ranges, which are in order of their ends, end at or before `at`. */
function countUpTo(byEnd: readonly Range[], at: number): number {
  let low = 0;
  let high = byEnd.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (byEnd[middle]!.to <= at) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The parts of `whole` that no range in `done` covers, in order. */
export function subtract(whole: Range, done: readonly Range[]): Range[] {
  const rest: Range[] = [];
  let at = whole.from;
  for (const { from, to } of [...done].sort((a, b) => a.from - b.from)) {
    if (to <= at || to <= from) continue;
    if (from >= whole.to) break;
    if (from > at) rest.push({ from: at, to: from });
    at = Math.max(at, to);
  }
  if (at < whole.to) rest.push({ from: at, to: whole.to });
  return rest;
}
