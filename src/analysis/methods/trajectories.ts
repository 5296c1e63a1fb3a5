import { pick } from "../blocks.ts";
import type { TrajectoryDesign } from "../designs.ts";
import { elementaryEffects, morrisIndices } from "../morris-effects.ts";
import { type Analysis, indicesOf, wholeBlocks } from "./analysis.ts";

/** Morris himself took 4. */
const LEAST_TRAJECTORIES = 4;

/** Elementary effects of a run that was made of Morris trajectories. */
export const trajectories: Analysis = {
  needs: "morris",
  readsInputs: true,
  resampled: true,
  unit: () => "trajectories",
  statement: () =>
    "Elementary effects from Morris trajectories, which the run was made for: a screening. mu_star says how much an input matters, sigma how far it interacts or is not linear; both are in units of the output, for the input's whole range.",
  analyse: (outputs, context) => {
    const design = context.design as TrajectoryDesign;
    const names = context.inputs.map(({ name }) => name);
    return outputs.map((output) => {
      const blocks = wholeBlocks(output, context, design, LEAST_TRAJECTORIES, "trajectories");
      if ("reason" in blocks) return blocks;
      const inputs = context.inputs.map(({ values }) => pick(values, blocks.rows));
      const effects = elementaryEffects(inputs, blocks.values, design.step);
      const found = morrisIndices(effects, context.bootstrap);
      return {
        output: output.name,
        blocks: blocks.losses,
        indices: [
          ...indicesOf("mu", names, found.mu, found.muHalfWidth),
          ...indicesOf("mu_star", names, found.muStar, found.muStarHalfWidth),
          ...indicesOf("sigma", names, found.sigma, found.sigmaHalfWidth),
        ],
        warnings: [],
      };
    });
  },
};
