import type { AnyExperiment } from "../../experiment/define.ts";
import type { Column } from "../../schema/columns.ts";
import { makeValidator, type SpecIssue, type Validator } from "../../schema/validate.ts";
import { type Failure, failure, failureOf, tooLarge } from "./failure.ts";
import { sizeOf } from "./output-size.ts";
import { type SpecFolder, type TakenFile, takeFiles } from "./take-files.ts";

/** The checked return value of `run`: scalar values, rows of tables, files to store. */
export interface CheckedOutput {
  values: Record<string, unknown>;
  tables: Record<string, Record<string, unknown>[]>;
  files: TakenFile[];
}

export function isFailure(output: CheckedOutput | Failure): output is Failure {
  return !("values" in output);
}

/** Checks the return values of one experiment's function. */
export class OutputChecker {
  readonly #name: string;
  readonly #validate: Validator;
  readonly #files: readonly Column[];
  readonly #tables: readonly { name: string; validate: Validator }[];
  readonly #maxSize: number;
  /** False when every output is a number, so nothing can be large. */
  readonly #maybeLarge: boolean;

  constructor(experiment: AnyExperiment, maxSize = Number.POSITIVE_INFINITY) {
    this.#maxSize = maxSize;
    this.#name = experiment.name;
    const { scalars, files, tables } = experiment.columns;
    this.#validate = makeValidator(experiment.output, [...scalars, ...files]);
    this.#files = files;
    const plain = (columns: readonly Column[]) => columns.every(({ type }) => PLAIN.has(type.kind));
    this.#maybeLarge = !plain(scalars) || Object.keys(tables).length > 0;
    this.#tables = Object.keys(experiment.tables).map((name) => ({
      name,
      validate: makeValidator(experiment.tables[name].schema, tables[name] as Column[]),
    }));
  }

  /**
   * @param runId names the stored files;
   * @param folder contains them
   */
  check(returned: unknown, runId: () => string, folder: SpecFolder): CheckedOutput | Failure {
    try {
      return this.#check(returned, runId, folder);
    } catch (thrown) {
      const { message, ...rest } = failureOf(thrown, "invalid_output"); // thrown by a getter, a proxy or a schema's own function
      return { ...rest, message: `${this.#name} returned something that cannot be read: ${message}` };
    }
  }

  #check(returned: unknown, runId: () => string, folder: SpecFolder): CheckedOutput | Failure {
    if (typeof returned !== "object" || returned === null) {
      const what = returned === null ? "null" : typeof returned === "undefined" ? "nothing" : `a ${typeof returned}`;
      return invalid(`${this.#name} returned ${what} instead of an object with its outputs`);
    }
    if (this.#maybeLarge && sizeOf(returned, this.#maxSize) > this.#maxSize) return tooLarge(this.#name, this.#maxSize);
    const { fields, tables } = this.#tables.length > 0 ? withoutTables(returned) : { fields: returned, tables: {} };
    const checked = this.#validate(fields);
    if (!checked.ok) return invalid(`${this.#name} returned what its schema refuses: ${describe(checked.issues)}`);
    const rows: CheckedOutput["tables"] = {};
    const problem = this.#checkTables(tables, rows);
    if (problem) return invalid(problem);
    const files = this.#files.length === 0 ? NO_FILES : takeFiles(this.#files, checked.value, runId, folder);
    if (typeof files === "string") return invalid(`${this.#name} ${files}`);
    return { values: checked.value, tables: rows, files };
  }

  #checkTables(given: Record<string, unknown>, tables: CheckedOutput["tables"]): string | undefined {
    for (const name of Object.keys(given)) {
      if (!this.#tables.some((table) => table.name === name)) {
        return `${this.#name} returned rows for tables.${name}, which it does not declare`;
      }
    }
    for (const { name, validate } of this.#tables) {
      const rows = given[name];
      if (!Array.isArray(rows)) return `${this.#name} must return tables.${name}, an array of rows (maybe empty)`;
      tables[name] = [];
      for (let i = 0; i < rows.length; i++) {
        const checked = validate(rows[i]);
        if (!checked.ok) return `${this.#name} tables.${name}, row ${i}: ${describe(checked.issues)}`;
        tables[name].push(checked.value);
      }
    }
    return undefined;
  }
}

const NO_FILES: TakenFile[] = [];
const PLAIN = new Set(["float64", "int64", "bigint", "boolean", "timestamp"]);

function withoutTables(returned: object): { fields: object; tables: Record<string, unknown> } {
  const { tables, ...fields } = returned as { tables?: unknown };
  return { fields, tables: (typeof tables === "object" && tables !== null ? tables : {}) as Record<string, unknown> };
}

function describe(issues: readonly SpecIssue[]): string {
  const shown = issues.slice(0, 5).map(({ field, value, rule }) => `${field} = ${value}: ${rule}`);
  return shown.join("; ") + (issues.length > 5 ? `; and ${issues.length - 5} more` : "");
}

function invalid(message: string): Failure {
  return failure("invalid_output", "InvalidOutput", message);
}
