import { ScytheError } from "../../errors.ts";
import { streamsFor } from "../streams.ts";
import { checkWhole } from "../whole-number.ts";
import { checkDimensions, checkRange, LONGEST_SEQUENCE, type PointSet } from "./point-set.ts";

/** How Morris trajectories are made. */
export interface MorrisOptions {
  /** Whole number from 0 to 2^53 − 1 (default 0). */
  seed?: number;
  /** Even number of levels of each coordinate: 0, 1/(levels − 1), …, 1 (default 4). */
  levels?: number;
}

/**
 * Trajectories of Morris (Technometrics 33, 1991), each of `dimensions + 1` points: from a random point of the grid of
 * levels, one coordinate after the other, in random order, moves by levels / (2 (levels − 1)), up or down as fits. Each
 * trajectory has its own random numbers: can be continued by whole trajectories.
 */
export function morris(dimensions: number, { seed = 0, levels = 4 }: MorrisOptions = {}): PointSet {
  checkDimensions(dimensions, 100_000, "a Morris design");
  checkWhole(levels, 2, 1000, "The number of levels of a Morris design");
  if (levels % 2 !== 0) {
    throw new ScytheError("invalid_input", `A Morris design needs an even number of levels, not ${levels}`, {
      hint: "With an even number, all levels are equally likely. 4 is usual.",
    });
  }
  const rows = dimensions + 1;
  const trajectoryOf = trajectories(dimensions, levels, streamsFor(seed, "morris"));
  return {
    dimensions,
    size: rows * Math.floor(LONGEST_SEQUENCE / rows),
    fill(columns, first) {
      const count = columns[0]?.length ?? 0;
      checkRange(this, first, count);
      for (let i = 0; i < count; ) {
        const { start, end, step } = trajectoryOf(Math.floor((first + i) / rows));
        for (let row = (first + i) % rows; row < rows && i < count; row++, i++) {
          for (let j = 0; j < dimensions; j++) columns[j]![i] = step[j]! <= row ? end[j]! : start[j]!;
        }
      }
    },
  };
}

interface Trajectory {
  start: Float64Array;
  end: Float64Array;
  /** The row from which on a coordinate has moved. */
  step: Int32Array;
}

/** Trajectories by number; the last one is kept, as its rows may be asked for in several parts. */
function trajectories(dimensions: number, levels: number, streams: ReturnType<typeof streamsFor>) {
  const half = levels / 2;
  let known = -1;
  const start = new Float64Array(dimensions);
  const end = new Float64Array(dimensions);
  const step = new Int32Array(dimensions);
  return (number: number): Trajectory => {
    if (number === known) return { start, end, step };
    const random = streams(number);
    for (let j = 0; j < dimensions; j++) {
      const low = random.integer(0, half - 1);
      const up = random() < 0.5;
      start[j] = (up ? low : low + half) / (levels - 1);
      end[j] = (up ? low + half : low) / (levels - 1);
    }
    for (let i = 0; i < dimensions; i++) {
      const other = random.integer(0, i); // Fisher & Yates, from the inside out
      step[i] = step[other]!;
      step[other] = i + 1;
    }
    known = number;
    return { start, end, step };
  };
}
