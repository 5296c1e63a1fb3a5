import { setImmediate } from "node:timers/promises";
import { ScytheError } from "../errors.ts";
import type { AnyExperiment } from "../experiment/define.ts";
import { ArtifactPlan, type KeptArtifact, type PlannedArtifact } from "../files/artifacts.ts";
import type { Confinement } from "../files/confinement.ts";
import { assertNotAborted, untilAborted } from "../run/abort.ts";
import { RUN_SCHEME, RunLayout } from "../run/layout.ts";
import { RESERVED_COLUMNS } from "../schema/base.ts";
import type { Column } from "../schema/columns.ts";
import { SORT_INDEX } from "../schema/id-columns.ts";
import { parsesToItself, rewrites } from "../schema/idempotence.ts";
import { makeSpecValidator } from "../schema/spec-validator.ts";
import { isOpen, preview, type SpecIssue, type Validator } from "../schema/validate.ts";
import { LIMITS } from "../spec-file/limits.ts";
import type { SpecRecord } from "../spec-file/source.ts";
import { BatchBuilder } from "../table/batch.ts";
import { flatJson } from "../table/flat-json.ts";
import { ParquetFile } from "../table/write-parquet.ts";
import type { SpecSource } from "./spec-source.ts";

/** Specs that passed every check, in a scratch file. */
export interface StagedSpecs {
  path: string;
  count: number;
  artifacts: PlannedArtifact[];
  /** Fields beyond those of the schema, when it is a loose one. */
  extraColumns: Column[];
  /** The spec of a single-spec allocation, as parsed. */
  only: Record<string, unknown> | undefined;
}

export interface InvalidSpec extends SpecIssue {
  at: string;
}

export interface StageOptions {
  keepSortIndex: boolean;
  /** What the base run already has, for an extending run. */
  after?: StagedAfter | undefined;
  signal?: AbortSignal | undefined;
  /** What a spec file may refer to besides its own folder; nothing by default. */
  allowed?: Confinement | undefined;
  /** Downloads remote input files to store them with the run; without it, references stay as they are. */
  copyFrom?: ((uri: string) => Promise<string>) | undefined;
}

export interface StagedAfter {
  /** `sort_index` of the first added spec. */
  sortIndex: number;
  extraColumns: readonly Column[];
  artifacts: readonly KeptArtifact[];
}

/** Invalid specs that the error lists; the rest are counted. */
const SHOWN = 20;
const ROWS_PER_YIELD = 4_096;
const ROWS_PER_FLUSH = 32_768;
const TEXT_PER_FLUSH = 64 * 2 ** 20;

/** The column that holds a loose schema's extra fields while they are staged, as JSON. */
export const EXTRA = "__extra";

/**
 * Checks and numbers specs and writes them to `path`, one row group in memory at a time.
 * @throws ScytheError `invalid_specs` that names the first invalid specs and counts all
 */
export async function stageSpecs(
  experiment: AnyExperiment,
  source: SpecSource,
  path: string,
  options: StageOptions,
): Promise<StagedSpecs> {
  const staging = new Staging(experiment, source, path, options);
  let seen = 0;
  try {
    assertNotAborted(options.signal);
    for await (const record of untilAborted(source.records, options.signal)) {
      const wait = staging.add(record);
      if (wait) await wait;
      if (++seen % ROWS_PER_YIELD === 0) {
        await setImmediate(); // lets signals and timers run while an array of millions is read
        assertNotAborted(options.signal);
      }
    }
    assertNotAborted(options.signal);
    return staging.finish();
  } finally {
    staging.close();
  }
}

class Staging {
  readonly #validate: Validator;
  readonly #fileFields: Column[];
  readonly #mustReparse: AnyExperiment["input"] | undefined;
  readonly #plan: ArtifactPlan;
  readonly #builder: BatchBuilder;
  readonly #file: ParquetFile;
  readonly #path: string;
  readonly #keepSortIndex: boolean;
  readonly #firstIndex: number;
  readonly #experiment: AnyExperiment;
  readonly #single: boolean;
  readonly #extras: Map<string, Column> | undefined;
  /** Names that no extra field may have. */
  readonly #taken: readonly string[];
  readonly #invalid: InvalidSpec[] = [];
  readonly #invalidRows = new Set<string>();
  #only: Record<string, unknown> | undefined;
  #seen = 0;

  constructor(experiment: AnyExperiment, source: SpecSource, path: string, options: StageOptions) {
    const { input, scalars, files, tables } = experiment.columns as AnyExperiment["columns"];
    this.#experiment = experiment;
    this.#taken = [...scalars, ...files, ...Object.values(tables).flat(), ...input].map((column) => column.name);
    this.#validate = makeSpecValidator(experiment.input, input);
    this.#fileFields = input.filter((column: Column) => column.file);
    this.#mustReparse = rewrites(experiment.input) ? experiment.input : undefined;
    const extras = (options.after?.extraColumns ?? []).map((column) => [column.name, column] as const);
    this.#extras = isOpen(experiment.input) ? new Map(extras) : undefined;
    this.#firstIndex = options.after?.sortIndex ?? 0;
    this.#plan = new ArtifactPlan(
      source.folder,
      (field, file) => RUN_SCHEME + RunLayout.artifactPath(field, file),
      options.copyFrom,
      options.after?.artifacts,
      source.trusted ? undefined : confinementOf(source, options.allowed),
    );
    const columns = [SORT_INDEX, ...input, ...(this.#extras ? [EXTRA_COLUMN] : [])];
    this.#builder = new BatchBuilder(columns);
    this.#file = new ParquetFile(path, columns);
    this.#path = path;
    this.#keepSortIndex = options.keepSortIndex;
    this.#single = source.single;
  }

  /** Returns a promise only when files must be checked: a promise per spec would be slow. */
  add(record: SpecRecord): Promise<void> | undefined {
    const sortIndex = this.#keepSortIndex ? this.#givenSortIndex(record) : this.#firstIndex + this.#seen;
    this.#seen++;
    const checked = this.#validate(record.value);
    if (!checked.ok) return this.#refuse(record, checked.issues);
    const spec = checked.value;
    if (this.#mustReparse && !parsesToItself(this.#mustReparse, spec)) {
      const rule = "changes again when it is parsed a second time; keep the input as written and convert it in run";
      return this.#refuse(record, [{ field: "(the whole spec)", value: preview(spec), rule }]);
    }
    if (this.#extras) this.#takeExtras(record, spec, this.#extras);
    spec.sort_index = sortIndex;
    if (this.#fileFields.length > 0) return this.#resolveFiles(record, spec).then(() => this.#append(spec));
    this.#append(spec);
    return undefined;
  }

  finish(): StagedSpecs {
    if (this.#invalidRows.size > 0) throw invalidSpecs(this.#invalid, this.#invalidRows.size, this.#seen);
    if (this.#seen === 0) {
      throw new ScytheError("invalid_specs", "There are no specs to allocate", { hint: "Give one spec or more." });
    }
    this.#flush();
    this.#file.finish();
    return {
      path: this.#path,
      count: this.#seen,
      artifacts: this.#plan.artifacts,
      extraColumns: [...(this.#extras?.values() ?? [])],
      only: this.#only,
    };
  }

  close(): void {
    this.#file.close();
  }

  #append(spec: Record<string, unknown>): void {
    if (this.#invalidRows.size > 0) return; // nothing will be allocated; only the errors are collected
    if (this.#single) this.#only = spec;
    this.#builder.append(spec);
    if (this.#builder.rows >= ROWS_PER_FLUSH || this.#builder.textLength > TEXT_PER_FLUSH) this.#flush();
  }

  #flush(): void {
    if (this.#builder.rows > 0) this.#file.write(this.#builder.take());
  }

  #refuse(record: SpecRecord, issues: readonly SpecIssue[]): undefined {
    this.#invalidRows.add(record.at);
    for (const issue of issues) if (this.#invalid.length < SHOWN) this.#invalid.push({ at: record.at, ...issue });
  }

  #givenSortIndex(record: SpecRecord): number {
    const given = (record.value as Record<string, unknown> | null)?.sort_index;
    const value =
      typeof given === "bigint" || (typeof given === "string" && /^\d+$/.test(given)) ? Number(given) : given;
    if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0 && value < 2 ** 48) return value;
    const rule = "must be a whole number from 0 to 2^48 − 1, as keepSortIndex keeps the given ones";
    this.#refuse(record, [{ field: "sort_index", value: preview(given), rule }]);
    return 0;
  }

  async #resolveFiles(record: SpecRecord, spec: Record<string, unknown>): Promise<void> {
    for (const { name } of this.#fileFields) {
      const value = spec[name];
      if (typeof value === "string") spec[name] = await this.#resolveOne(record, name, value);
      if (Array.isArray(value)) {
        spec[name] = await Promise.all(value.map((item) => item && this.#resolveOne(record, name, item)));
      }
    }
  }

  async #resolveOne(record: SpecRecord, field: string, reference: string): Promise<string> {
    const resolution = await this.#plan.resolve(field, reference);
    if (resolution.ok) return resolution.reference;
    this.#refuse(record, [{ field, value: preview(reference), rule: resolution.rule }]);
    return reference;
  }

  /** An extra field gets its type from the first spec that has it; a later value of another type is refused. */
  #takeExtras(record: SpecRecord, spec: Record<string, unknown>, extras: Map<string, Column>): void {
    const rest: Record<string, string | number | boolean> = {};
    for (const [name, value] of Object.entries(spec)) {
      if (Object.hasOwn(this.#experiment.input.shape, name) || value === undefined || value === null) continue;
      const kind = typeof value === "number" ? "float64" : (typeof value as "string" | "boolean");
      const known = extras.get(name);
      const rule = known
        ? known.type.kind !== kind && `is a ${typeof value}, but an earlier spec has a ${known.type.kind} there`
        : newExtraProblem(name, this.#taken, extras);
      if (rule) this.#refuse(record, [{ field: name, value: preview(value), rule }]);
      else extras.set(name, known ?? { name, type: { kind }, nullable: true, optional: true, file: false });
      rest[name] = value as string | number | boolean;
    }
    spec[EXTRA] = flatJson(rest);
  }
}

function confinementOf({ folder }: SpecSource, allowed: Confinement = { folders: [], buckets: [] }): Confinement {
  return { ...allowed, folders: [folder, ...allowed.folders] };
}

const PLAIN = { nullable: false, optional: false, file: false };
const EXTRA_COLUMN: Column = { name: EXTRA, type: { kind: "string" }, ...PLAIN };

function newExtraProblem(name: string, taken: readonly string[], extras: ReadonlyMap<string, Column>): string | false {
  if (extras.size >= LIMITS.extraFields) {
    return `is one of more than ${LIMITS.extraFields} extra fields; name it in the schema, or keep such data in a file`;
  }
  return extraNameProblem(name, [...taken, ...extras.keys()]);
}

function extraNameProblem(name: string, taken: readonly string[]): string | false {
  const other = taken.find((known) => known.toLowerCase() === name.toLowerCase());
  if (other === name) return "is also an output field; one table holds both";
  if (other !== undefined) return `differs from ${other} only in case, which SQL ignores`;
  if (RESERVED_COLUMNS.has(name.toLowerCase()) || name.startsWith("__")) return "is a reserved column";
  return /^[^\0"\\/]{1,128}$/.test(name) && name.isWellFormed() ? false : "cannot be a column's name";
}

function invalidSpecs(shown: readonly InvalidSpec[], count: number, seen: number): ScytheError {
  const lines = shown.map(({ at, field, value, rule }) => `  ${at}, ${field} = ${value}: ${rule}`);
  const more = count > new Set(shown.map(({ at }) => at)).size ? "\n  … and more" : "";
  return new ScytheError(
    "invalid_specs",
    `${count} of ${seen} specs ${count === 1 ? "is" : "are"} invalid; nothing was allocated.\n${lines.join("\n")}${more}`,
    { hint: "Correct them and allocate again.", details: { count, total: seen, invalid: shown } },
  );
}
