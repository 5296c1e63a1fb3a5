import type { DesignDescription } from "../../index.ts";
import { countText } from "./units.ts";

/** A design in a line: `sobol (scramble owen), seed 7, points 0 … 255`. */
export function designText({ design, options, seed, points }: DesignDescription): string {
  const chosen = Object.entries(options).map(([name, value]) => `${name} ${typeof value === "object" ? "…" : value}`);
  const how = chosen.length === 0 ? "" : ` (${chosen.join(", ")})`;
  const last = (points.end ?? points.first + points.count) - 1;
  const where = points.end === undefined ? "" : `, ${countText(points.count)} of which the condition kept`;
  return `${design}${how}, seed ${seed}, points ${countText(points.first)} … ${countText(last)}${where}`;
}
