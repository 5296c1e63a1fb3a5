import type { Losses } from "./blocks.ts";

/** What blocks are counted in. */
export type Unit = "base points" | "trajectories" | "rows";

/** Which inputs matter: plain data. */
export interface Sensitivity {
  method: string;
  /** Whether the run's design was made for this method, or any rows would have done. */
  kind: "designed" | "given-data";
  /** The design that the run was made with, as far as it is known. */
  design: string | null;
  /** What kind of answer this is, in a sentence or two. */
  statement: string;
  inputs: string[];
  /** Inputs that are no part of it, and why. */
  leftOut: LeftOut[];
  confidence: number;
  /** Resamples of the bootstrap; null for a method whose intervals need none, or that has none. */
  resamples: number | null;
  seed: number;
  /** What blocks are counted in. */
  unit: Unit;
  /** Specs of the run, and those of them that have results. */
  specs: { planned: number; withResults: number };
  outputs: OutputSensitivity[];
  /** Outputs that could not be analysed, and why. */
  skipped: LeftOut[];
}

/** An input or output that is no part of an analysis. */
export interface LeftOut {
  name: string;
  /** A clause that follows the name: "is constant". */
  reason: string;
}

/** The indices of one output. */
export interface OutputSensitivity {
  output: string;
  /** Blocks of rows that were used and those that were left out. */
  blocks: Losses;
  /** Of a regression: the share of the variance that it explains. */
  rSquared?: number;
  indices: SensitivityIndex[];
  /** Sentences that whoever reads the indices must know. */
  warnings: string[];
}

/** One index: what it is of, its value, and how surely that is known. */
export interface SensitivityIndex {
  /** `S1`, `ST`, `S2`, `mu`, `mu_star`, `sigma`, `SRC`, `PCC`, `SRRC`, `PRCC`, or `pawn_median` and its like. */
  index: string;
  input: string;
  /** The other input of an index of two. */
  with: string | null;
  /** Null where an index has no value: the slope of an input of levels without order. */
  value: number | null;
  /** The interval is from value − halfWidth to value + halfWidth; null where there is none. */
  halfWidth: number | null;
}
