import { statSync } from "node:fs";
import { extname, isAbsolute, resolve } from "node:path";
import type { AnyExperiment } from "../experiment/define.ts";
import { RUN_SCHEME, RunLayout } from "../run/layout.ts";
import type { Column } from "../spec/columns.ts";
import { hasScheme } from "../spec/file-ref.ts";
import { makeValidator, type SpecIssue, type Validator } from "../spec/validate.ts";
import { type Failure, failure, failureOf, tooLarge } from "./failure.ts";
import { sizeOf } from "./output-size.ts";
import type { OutputFile } from "./protocol.ts";

/** What `run` gave back, checked: plain values, rows of tables, files to be stored. */
export interface CheckedOutput {
  values: Record<string, unknown>;
  tables: Record<string, Record<string, unknown>[]>;
  files: Omit<OutputFile, "row">[];
}

export function isFailure(output: CheckedOutput | Failure): output is Failure {
  return !("values" in output);
}

/** Checks what one experiment's function gives back. */
export class OutputChecker {
  readonly #name: string;
  readonly #validate: Validator;
  readonly #files: readonly Column[];
  readonly #tables: readonly { name: string; validate: Validator }[];
  readonly #maxSize: number;
  /** Where every output is a plain number, there is nothing that could be large. */
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

  /** @param runId names the stored files; @param folder what relative paths in the output are relative to */
  check(returned: unknown, runId: () => string, folder: () => string): CheckedOutput | Failure {
    try {
      return this.#check(returned, runId, folder);
    } catch (thrown) {
      const { message, ...rest } = failureOf(thrown, "invalid_output"); // a getter, a proxy, a schema's own function
      return { ...rest, message: `${this.#name} returned something that cannot be read: ${message}` };
    }
  }

  #check(returned: unknown, runId: () => string, folder: () => string): CheckedOutput | Failure {
    if (typeof returned !== "object" || returned === null) {
      const what = returned === null ? "null" : typeof returned === "undefined" ? "nothing" : `a ${typeof returned}`;
      return invalid(`${this.#name} returned ${what} instead of an object with its outputs`);
    }
    if (this.#maybeLarge && sizeOf(returned, this.#maxSize) > this.#maxSize) return tooLarge(this.#name, this.#maxSize);
    const { fields, tables } = this.#tables.length > 0 ? withoutTables(returned) : { fields: returned, tables: {} };
    const checked = this.#validate(fields);
    if (!checked.ok) return invalid(`${this.#name} returned what its schema refuses: ${describe(checked.issues)}`);
    const rows: CheckedOutput["tables"] = {};
    const files: CheckedOutput["files"] = [];
    const problem = this.#checkTables(tables, rows) ?? this.#takeFiles(checked.value, runId, folder, files);
    return problem ? invalid(problem) : { values: checked.value, tables: rows, files };
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

  /** Replaces local paths by where the files will lie in the run. */
  #takeFiles(
    values: Record<string, unknown>,
    runId: () => string,
    folder: () => string,
    files: CheckedOutput["files"],
  ): string | undefined {
    for (const { name: field } of this.#files) {
      const value = values[field];
      if (value === null || value === undefined) continue;
      const many = Array.isArray(value);
      const references = (many ? value : [value]) as (string | null)[];
      const stored = references.map((reference, i) => {
        if (reference === null || hasScheme(reference)) return reference;
        const path = isAbsolute(reference) ? reference : resolve(folder(), reference);
        const name = `${runId()}${many ? `-${i}` : ""}${safeExtension(path)}`;
        files.push({ field, path, name });
        return RUN_SCHEME + RunLayout.resultPath(field, name);
      });
      values[field] = many ? stored : stored[0];
    }
    for (const { field, path } of files) {
      const info = statSync(path, { throwIfNoEntry: false });
      if (!info) return `${this.#name} named a file in ${field} that does not exist: ${path}`;
      if (!info.isFile()) return `${this.#name} named something in ${field} that is not a file: ${path}`;
    }
    return undefined;
  }
}

const PLAIN = new Set(["float64", "int64", "bigint", "boolean", "timestamp"]);

function withoutTables(returned: object): { fields: object; tables: Record<string, unknown> } {
  const { tables, ...fields } = returned as { tables?: unknown };
  return { fields, tables: (typeof tables === "object" && tables !== null ? tables : {}) as Record<string, unknown> };
}

function safeExtension(path: string): string {
  const extension = extname(path);
  return /^\.[A-Za-z0-9_-]{1,16}$/.test(extension) ? extension : "";
}

function describe(issues: readonly SpecIssue[]): string {
  const shown = issues.slice(0, 5).map(({ field, value, rule }) => `${field} = ${value}: ${rule}`);
  return shown.join("; ") + (issues.length > 5 ? `; and ${issues.length - 5} more` : "");
}

function invalid(message: string): Failure {
  return failure("invalid_output", "InvalidOutput", message);
}
