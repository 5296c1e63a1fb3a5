/**
 * What an analysis has to know of the design that a run was made with: plain data, as the run records it. A row's place
 * in the design is its `sort_index`, counted from `first`.
 */
export type AnalysedDesign = CrossedDesign | TrajectoryDesign | OtherDesign;

interface DesignBase {
  /** The fields that the design varies, in the order of its coordinates. */
  inputs: readonly string[];
  /** `sort_index` of the design's first row (default 0). */
  first?: number;
}

/** Saltelli's cross-samples: for each base point the rows a, ab(1) … ab(d), with second order ba(1) … ba(d), and b. */
export interface CrossedDesign extends DesignBase {
  kind: "saltelli";
  secondOrder: boolean;
  /** Names of groups of inputs that vary together, in the order of the rows; without them each input is on its own. */
  groups?: readonly string[];
}

/** Morris trajectories of d + 1 rows, in each of which every input moves once. */
export interface TrajectoryDesign extends DesignBase {
  kind: "morris";
  /** How far each input moves, as a share of its range ({@link morrisStep}); one number if it is the same for all. */
  step: number | readonly number[];
}

/** Any other: its rows stand for themselves. */
export interface OtherDesign extends DesignBase {
  kind: "other";
  /** What it is called, say `lhs`. */
  name: string;
}

/** Rows that belong together. */
export function blockRows(design: AnalysedDesign): number {
  if (design.kind === "saltelli") return crossedRows(crossedNames(design).length, design.secondOrder);
  return design.kind === "morris" ? design.inputs.length + 1 : 1;
}

/** Rows of a base point. */
export function crossedRows(dimensions: number, secondOrder: boolean): number {
  return secondOrder ? 2 * dimensions + 2 : dimensions + 2;
}

export function crossedNames(design: CrossedDesign): readonly string[] {
  return design.groups ?? design.inputs;
}

/** How far an input moves on a grid of so many levels (SALib's `num_levels`) that has both ends of its range. */
export function morrisStep(levels: number): number {
  return levels / (2 * (levels - 1));
}
