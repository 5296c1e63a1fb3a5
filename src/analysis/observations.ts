/** The rows of a run that have results, as the estimators see them. */
export interface Observations {
  /** `sort_index` of each row. */
  positions: Float64Array;
  inputs: readonly InputColumn[];
  outputs: readonly OutputColumn[];
  /** Inputs and outputs that cannot be analysed, and why. */
  unusable: readonly UnusableColumn[];
  /** Specs of the run, those that failed or are not done included. */
  planned: number;
}

export interface InputColumn {
  name: string;
  /** NaN where there is none; for an input of levels, the number of its level. */
  values: Float64Array;
  /** Of an input that is no number: its levels, in order. */
  levels?: readonly string[];
}

export interface OutputColumn {
  name: string;
  /** NaN where there is none. */
  values: Float64Array;
}

export interface UnusableColumn {
  name: string;
  role: "input" | "output";
  /** The end of a sentence that begins with the name: "is text". */
  reason: string;
}

/** Whether all rows have the same value; those without one do not count. */
export function isConstant(values: Float64Array): boolean {
  let first = Number.NaN;
  for (const value of values) {
    if (Number.isNaN(value)) continue;
    if (Number.isNaN(first)) first = value;
    else if (value !== first) return false;
  }
  return true;
}
