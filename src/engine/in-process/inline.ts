import type { Engine, Programs } from "../engine.ts";
import { inProcessEngine } from "./in-process.ts";

/** Everything in this process, one leaf at a time: breakpoints hit, but a function that hangs or exits cannot be stopped. */
export function inlineEngine(programs: Programs): Engine {
  return inProcessEngine(programs, { name: "inline", isolation: "none", slots: 1 });
}
