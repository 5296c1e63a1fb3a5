/** The designs that there are. */
export const DESIGN_NAMES = ["grid", "oat", "random", "lhs", "sobol", "halton", "morris", "saltelli"] as const;

/** A kind of design. */
export type DesignName = (typeof DESIGN_NAMES)[number];
