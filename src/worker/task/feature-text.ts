import type { AnyExperiment, Feature } from "../../experiment/define.ts";
import { RESERVED_COLUMNS } from "../../schema/base.ts";
import { type Column, caseTwins } from "../../schema/columns.ts";
import { flatJson } from "../../table/flat-json.ts";
import { type Failure, failure, failureOf } from "./failure.ts";

/** Features become columns of every table: more than this belongs in a table. */
const MOST = 1_000;

/** A spec's computed features as JSON text. Values that no table can hold are a failure of the spec. */
export class FeatureText {
  readonly #compute: (input: never) => Record<string, Feature>;
  /** Names of existing columns (case-folded, as in SQL), and what they are. */
  readonly #taken: ReadonlyMap<string, string>;
  /** Names seen before that are valid columns. */
  readonly #known = new Set<string>();
  /** Some of them differ only in case. */
  #hasTwins = false;

  constructor({ computedFeatures, columns }: AnyExperiment, extraColumns: readonly Column[]) {
    this.#compute = computedFeatures as (input: never) => Record<string, Feature>;
    const { input, scalars, files, tables } = columns as AnyExperiment["columns"];
    const named = (own: readonly Column[], what: string) => own.map(({ name }) => [name.toLowerCase(), what] as const);
    this.#taken = new Map([
      ...Object.entries(tables).flatMap(([table, own]) => named(own, `a column of table ${table}`)),
      ...named([...scalars, ...files], "an output"),
      ...named([...input, ...extraColumns], "an input field"),
    ]);
  }

  of(row: Record<string, unknown>): string | Failure {
    let features: unknown;
    try {
      features = this.#compute(row as never);
    } catch (thrown) {
      const { message, ...rest } = failureOf(thrown);
      return { ...rest, message: `computedFeatures threw: ${message}` };
    }
    try {
      const problem = this.#problem(features);
      return problem === undefined
        ? flatJson(features as Record<string, Feature>)
        : failure("invalid_output", "InvalidFeature", `computedFeatures gave ${problem}`);
    } catch (thrown) {
      return failureOf(thrown, "invalid_output"); // a getter, a proxy
    }
  }

  #problem(features: unknown): string | undefined {
    if (typeof features !== "object" || features === null || Array.isArray(features) || features instanceof Date) {
      return "no object of features";
    }
    if (features instanceof Promise) return "a promise: it must not be async";
    const entries = Object.entries(features);
    if (entries.length > MOST) return `${entries.length} features, which are more than ${MOST}: use a table`;
    for (const [name, value] of entries) {
      const problem = this.#known.has(name) ? undefined : this.#nameProblem(name);
      if (problem) return `${JSON.stringify(name)}, which ${problem}`;
      if (!isFeature(value)) return `${name} = ${String(value)}, which is not a finite number, text or boolean`;
    }
    const twins = this.#hasTwins ? caseTwins(Object.keys(features)) : undefined;
    return twins && `${twins.join(" and ")}, which differ only in case, which SQL ignores`;
  }

  #nameProblem(name: string): string | undefined {
    const folded = name.toLowerCase();
    const taken = this.#taken.get(folded);
    if (taken) return `is already ${taken} (SQL ignores case)`;
    if (RESERVED_COLUMNS.has(folded) || name.startsWith("__")) return "is a reserved column";
    if (!/^[^\0"\\/]{1,128}$/.test(name) || !name.isWellFormed()) return "cannot be a column's name";
    this.#hasTwins ||= [...this.#known].some((other) => other.toLowerCase() === folded);
    this.#known.add(name);
    return undefined;
  }
}

function isFeature(value: unknown): boolean {
  if (typeof value === "string") return value.isWellFormed();
  return typeof value === "boolean" || Number.isFinite(value);
}
