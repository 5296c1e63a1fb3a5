import type { DesignDescription } from "../sampling/design/plan.ts";
import { variedSamplers } from "../sampling/design/plan.ts";
import { type AnalysedDesign, morrisStep } from "./designs.ts";

/** The design that a run was made from, as the estimators need to know it. */
export function analysedDesign({ design, options, space }: DesignDescription): AnalysedDesign {
  const samplers = variedSamplers(space);
  const inputs = samplers.map(({ name }) => name);
  if (design === "saltelli") return { kind: "saltelli", inputs, secondOrder: options.secondOrder ?? true };
  if (design !== "morris") return { kind: "other", name: design, inputs };
  const levels = options.levels as number;
  // levels of a field without closed bounds are the middles of equal shares, and their steps shorter
  const step = samplers.map(({ closed }) => morrisStep(levels) * (closed ? 1 : (levels - 1) / levels));
  return { kind: "morris", inputs, step };
}
