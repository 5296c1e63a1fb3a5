import { completeBlocks, type Losses, pick, sameRows } from "../blocks.ts";
import { type AnalysedDesign, blockRows } from "../designs.ts";
import { type InputColumn, isConstant, type OutputColumn } from "../observations.ts";
import type { Unit } from "../sensitivity-result.ts";
import type { AnalysisContext, Refusal } from "./analysis.ts";

/** Rows of which each says something by itself, and values for all of them. */
export interface Sample {
  inputs: readonly InputColumn[];
  output: Float64Array;
  losses: Losses;
  /** Rows that follow one another and are not independent: 1 where all are. */
  blockRows: number;
  /** What follows from the inputs alone is made once for all outputs that have the same rows. */
  once: <T>(what: string, make: () => T) => T;
  /** Of the observations. */
  rows: Int32Array;
}

export function sampleUnit(design: AnalysedDesign | undefined): Unit {
  return design?.kind === "morris" ? "trajectories" : "rows";
}

/**
 * The rows that a method for any data may use. Of Saltelli's cross-samples these are a and b: the others repeat their
 * coordinates. Of Morris trajectories all, as blocks.
 * @param last the sample before it, which may have the same rows
 */
export function sampleOf(
  output: OutputColumn,
  context: AnalysisContext,
  least: number,
  last: Sample | undefined,
): Sample | Refusal {
  const { design } = context;
  const usable = output.values.slice();
  for (const { values } of context.inputs) {
    for (let i = 0; i < usable.length; i++) if (!Number.isFinite(values[i])) usable[i] = Number.NaN;
  }
  const size = design?.kind === "morris" ? blockRows(design) : 1;
  const { rows, losses } =
    design?.kind === "morris"
      ? completeBlocks(context.observations, usable, { rows: size, first: design.first ?? 0 })
      : independentRows(context, usable);
  if (rows.length < least) {
    return { output: output.name, reason: `has ${rows.length} rows with all values: too few, ${least} are needed` };
  }
  const values = pick(output.values, rows);
  if (isConstant(values)) return { output: output.name, reason: "is constant" };
  const own = { output: values, losses, blockRows: size, rows };
  if (last && sameRows(last.rows, rows)) return { ...own, inputs: last.inputs, once: last.once };
  const inputs = context.inputs.map((input) => ({ ...input, values: pick(input.values, rows) }));
  return { ...own, inputs, once: memory() };
}

function memory(): Sample["once"] {
  const made = new Map<string, unknown>();
  return <T>(what: string, make: () => T) => {
    if (!made.has(what)) made.set(what, make());
    return made.get(what) as T;
  };
}

function independentRows({ observations, design }: AnalysisContext, usable: Float64Array) {
  const { positions, planned } = observations;
  const [size, first] = design?.kind === "saltelli" ? [blockRows(design), design.first ?? 0] : [1, 0];
  const rows: number[] = [];
  let there = 0;
  for (let i = 0; i < positions.length; i++) {
    const place = (positions[i]! - first) % size;
    if (size > 1 && place !== 0 && place !== size - 1) continue;
    there++;
    if (Number.isFinite(usable[i])) rows.push(i);
  }
  const all = size > 1 ? 2 * Math.floor((planned - first) / size) : planned;
  const losses: Losses = { planned: all, used: rows.length, failed: all - there, missing: there - rows.length };
  return { rows: Int32Array.from(rows), losses };
}
