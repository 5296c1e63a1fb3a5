import { ScytheError } from "../errors.ts";
import { didYouMean } from "../known-keys.ts";
import type { AnyExperiment } from "./define.ts";

/** The experiments of one project, by name. */
export class Registry {
  readonly #experiments = new Map<string, AnyExperiment>();

  /** @throws ScytheError `invalid_definition` when the names of two experiments are equal or differ only in case */
  constructor(experiments: readonly AnyExperiment[]) {
    const folded = new Map<string, string>();
    for (const experiment of experiments) {
      const other = folded.get(experiment.name.toLowerCase());
      if (other !== undefined) {
        throw new ScytheError("invalid_definition", `Two experiments are named ${other} and ${experiment.name}`, {
          hint: "Their folders would clash on systems that ignore case: rename one.",
        });
      }
      folded.set(experiment.name.toLowerCase(), experiment.name);
      this.#experiments.set(experiment.name, experiment);
    }
  }

  get names(): string[] {
    return [...this.#experiments.keys()].sort();
  }

  /** In the order of the config. */
  all(): AnyExperiment[] {
    return [...this.#experiments.values()];
  }

  /** Undefined for a name that the config has not. */
  find(name: string): AnyExperiment | undefined {
    return this.#experiments.get(name);
  }

  /** @throws ScytheError `not_found` with the nearest name */
  get(name: string): AnyExperiment {
    const experiment = this.#experiments.get(name);
    if (experiment) return experiment;
    throw new ScytheError("not_found", `No experiment named ${JSON.stringify(name)}${didYouMean(name, this.names)}`, {
      hint: this.names.length > 0 ? `This project has: ${this.names.join(", ")}` : "The config names no experiments.",
      details: { name, known: this.names },
    });
  }
}
