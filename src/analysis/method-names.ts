/** The methods of sensitivity analysis that there are; what each gives is said in `sensitivity.ts`. */
export const SENSITIVITY_METHODS = ["sobol", "morris", "given-data", "regression", "rank-regression", "pawn"] as const;

/** A method of sensitivity analysis. */
export type SensitivityMethod = (typeof SENSITIVITY_METHODS)[number];
