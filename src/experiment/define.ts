import { z } from "zod";
import { messageOf, ScytheError } from "../errors.ts";
import { assertKnownKeys, didYouMean, type Keys } from "../known-keys.ts";
import { parseDistribution } from "../sampling/space/distribution-text.ts";
import type { Distribution } from "../sampling/space/distributions.ts";
import { RESERVED_COLUMNS, RESERVED_TABLES, SAFE_NAME } from "../schema/base.ts";
import { type Column, caseTwins, columnsOf, isScalarColumn } from "../schema/columns.ts";
import { assertIdempotent } from "../schema/idempotence.ts";
import { hashSchemas } from "../schema/schema-hash.ts";
import type { Context } from "./context.ts";
import { assertName } from "./names.ts";
import { optional, parseBytes, parseDuration } from "./quantities.ts";
import { type ErrorKind, type RetryPolicy, retryPolicy } from "./retry.ts";

/** A named table with many rows per spec. `index` names the columns that become levels of its pandas MultiIndex. */
export interface Table<S extends z.ZodObject = z.ZodObject> {
  schema: S;
  index: readonly string[];
}

/** Declares a table of an experiment: the schema of a row, and which of its columns index it. */
export function table<S extends z.ZodObject>(
  schema: S,
  options: { index?: readonly (keyof z.output<S> & string)[] } = {},
): Table<S> {
  assertKnownKeys(options, { index: true }, "A table", "invalid_definition");
  return { schema, index: options.index ?? [] };
}

/** The tables of an experiment, by name. */
export type Tables = Record<string, Table>;
/** The value of a computed feature. */
export type Feature = string | number | boolean;
/** Index columns that are derived from the input, by name. */
export type Features = Record<string, Feature>;
/** What a worker must offer; any name may be used. */
export type WorkerLabel = "high_memory" | "high_cpu" | "has_gpu" | (string & {});

type TableRows<T extends Tables> = { [K in keyof T]: readonly z.input<T[K]["schema"]>[] };

/** What `run` returns: the outputs and, if the experiment has tables, their rows. */
export type RunOutput<O extends z.ZodObject, T extends Tables> = keyof T extends never
  ? z.input<O>
  : z.input<O> & { tables: TableRows<T> };

type Awaitable<T> = T | Promise<T>;

/** What {@link defineExperiment} takes. */
export interface ExperimentDefinition<
  I extends z.ZodObject,
  O extends z.ZodObject,
  T extends Tables,
  F extends Features = Features,
> {
  /** Letters, digits, `_`, `-`, `.`: it becomes a folder name. */
  name: string;
  description?: string;
  /** One spec. Unknown fields are refused unless made with `z.looseObject`. */
  input: I;
  /** One row of `scalars.pq`; `fileRef()` fields go to `result_file_refs.pq`. */
  output: O;
  tables?: T;
  /**
   * How designs spread the fields, by distribution or its text: `{ r_value: loguniform(0.5, 15) }`. A field that is not
   * named is spread evenly over its bounds, or over the values of an enum, a boolean or literals.
   */
  space?: Partial<Record<keyof z.input<I> & string, Distribution | string>>;
  /** A condition between fields: designs give only specs for which it is true. `(spec) => spec.low < spec.high` */
  where?: (spec: z.input<I>) => boolean;
  /** Extra index columns, derived from the input alone. */
  computedFeatures?: (input: z.output<I>) => F;
  /** How often a failed spec is tried again (default 1), for any kind of failure. */
  retries?: number;
  /** How often it is tried again after one kind of failure, instead of `retries`: `{ timeout: 0, error: 3 }`. */
  retry?: Partial<Record<ErrorKind, number>>;
  /** Time limit per try, as "90s", "1m", or milliseconds (default from settings, else 1 m). */
  executionTimeout?: string | number;
  /**
   * Limit of resident memory of the process that runs a spec and of all its descendants, as "2GB", "512MiB" or bytes
   * (default from settings, else none). Node and the project's own code count too, at least about 80 MB.
   */
  memoryLimit?: string | number;
  /** Limit of one spec's row data, outputs and tables without files (default from settings, else 256 MB). */
  maxOutputSize?: string | number;
  /** Longest time that a chunk may wait for a worker (default from settings, else 1 h). */
  scheduleTimeout?: string | number;
  /** Labels that a worker must have. */
  requires?: readonly WorkerLabel[];
  /** Where `run` finds its input files: in the machine's cache, read-only (default), or copied to `ctx.tempDir`. */
  files?: "cache" | "copied-to-tempdir";
  /** False leaves references as they are; use `ctx.fetchUri` to download those needed. */
  autoFetch?: boolean;
  /** Runs one spec. `fileRef()` inputs are local paths here. */
  run(input: z.output<I>, context: Context): Awaitable<RunOutput<O, T>>;
}

/** A checked experiment: stateless, and the same object in every process that loads the config. */
export interface Experiment<
  I extends z.ZodObject = z.ZodObject,
  O extends z.ZodObject = z.ZodObject,
  T extends Tables = Tables,
  F extends Features = Features,
> {
  readonly name: string;
  readonly description: string;
  readonly input: I;
  readonly output: O;
  readonly tables: T;
  /** How designs spread the fields that it names. */
  readonly space: Readonly<Record<string, Distribution | string>>;
  /** The condition that specs of designs fulfil. */
  readonly where: ((spec: z.input<I>) => boolean) | undefined;
  /** Derives further index columns from the input. */
  readonly computedFeatures: ((input: z.output<I>) => F) | undefined;
  readonly retries: number;
  readonly retry: RetryPolicy;
  /** Milliseconds; undefined = the setting. */
  readonly executionTimeoutMs: number | undefined;
  readonly scheduleTimeoutMs: number | undefined;
  /** Bytes; undefined = the setting. */
  readonly memoryLimit: number | undefined;
  readonly maxOutputSize: number | undefined;
  readonly requires: readonly string[];
  readonly files: "cache" | "copied-to-tempdir";
  readonly autoFetch: boolean;
  /** Runs one spec. */
  readonly run: (input: z.output<I>, context: Context) => Awaitable<RunOutput<O, T>>;
  readonly columns: ExperimentColumns;
  /** Tells two versions of its schemas apart: a worker with another hash must not run its specs. */
  readonly schemaHash: string;
}

/** An experiment of any schemas. */
// biome-ignore lint/suspicious/noExplicitAny: an experiment of any schemas; inputs stand in contravariant places
export type AnyExperiment = Experiment<any, any, any, any>;

/** The columns that an experiment's schemas give its tables. */
export interface ExperimentColumns {
  /** Every input field, in the schema's order. */
  input: Column[];
  /** Output fields that are plain data. */
  scalars: Column[];
  /** Output fields that are files. */
  files: Column[];
  tables: Record<string, Column[]>;
}

// biome-ignore lint/suspicious/noExplicitAny: the keys are the same for any schemas
const OPTIONS: Keys<ExperimentDefinition<any, any, any, any>> = {
  name: true,
  description: true,
  input: true,
  output: true,
  tables: true,
  space: true,
  where: true,
  computedFeatures: true,
  run: true,
  retries: true,
  retry: true,
  executionTimeout: true,
  scheduleTimeout: true,
  memoryLimit: true,
  maxOutputSize: true,
  requires: true,
  files: true,
  autoFetch: true,
};

/**
 * Defines an experiment: a name, an input schema, an output schema, optional tables, and a function.
 * @throws ScytheError `invalid_definition` naming the field and what it should be
 */
export function defineExperiment<
  I extends z.ZodObject,
  O extends z.ZodObject,
  const T extends Tables = Record<never, Table>,
  F extends Features = Record<never, Feature>,
>(definition: ExperimentDefinition<I, O, T, F>): Experiment<I, O, T, F> {
  const { name } = definition;
  assertName(name);
  assertKnownKeys(definition, OPTIONS, `Experiment ${name}`, "invalid_definition");
  const input = strict(definition.input, `${name}.input`);
  const output = strict(definition.output, `${name}.output`);
  const tables = strictTables(definition.tables ?? ({} as T), name);
  const outputs = columnsOf(output, `${name}.output`);
  const columns: ExperimentColumns = {
    input: columnsOf(input, `${name}.input`),
    scalars: outputs.filter((column) => !column.file),
    files: outputs.filter((column) => column.file),
    tables: Object.fromEntries(
      Object.entries(tables).map(([key, { schema }]) => [key, columnsOf(schema, `${name}.tables.${key}`)]),
    ),
  };
  assertColumns(name, columns, tables);
  assertIdempotent(input, `${name}.input`);
  assertIdempotent(output, `${name}.output`);
  for (const [key, { schema }] of Object.entries(tables)) assertIdempotent(schema, `${name}.tables.${key}`);
  if (typeof definition.run !== "function") throw invalid(name, "run must be a function");
  let hash: string | undefined;
  return Object.freeze({
    name,
    description: definition.description ?? "",
    input,
    output,
    tables,
    space: checkedSpace(name, columns.input, definition.space),
    where: checkedWhere(name, definition.where),
    computedFeatures: definition.computedFeatures,
    retries: definition.retries ?? 1,
    retry: retryPolicy(name, definition.retries, definition.retry),
    executionTimeoutMs: optional(parseDuration, definition.executionTimeout, `Experiment ${name}, executionTimeout`),
    scheduleTimeoutMs: optional(parseDuration, definition.scheduleTimeout, `Experiment ${name}, scheduleTimeout`),
    memoryLimit: optional(parseBytes, definition.memoryLimit, `Experiment ${name}, memoryLimit`),
    maxOutputSize: optional(parseBytes, definition.maxOutputSize, `Experiment ${name}, maxOutputSize`),
    requires: [...(definition.requires ?? [])],
    files: oneOf(definition.files ?? "cache", ["cache", "copied-to-tempdir"], name, "files"),
    autoFetch: definition.autoFetch ?? true,
    run: definition.run.bind(definition) as Experiment<I, O, T, F>["run"],
    columns,
    get schemaHash() {
      hash ??= hashSchemas({ name, input, output, tables });
      return hash;
    },
  });
}

/** An object that says nothing of unknown fields refuses them; one that says something keeps its word. */
function strict<S extends z.ZodObject>(schema: S, where: string): S {
  if (!(schema?._zod?.def?.type === "object")) {
    throw new ScytheError("invalid_definition", `${where} must be a z.object({ … })`, {
      hint: "Install zod 4 and pass an object schema; transforms go on its fields.",
    });
  }
  return schema._zod.def.catchall ? schema : (schema.clone({ ...schema._zod.def, catchall: z.never() } as never) as S);
}

function strictTables<T extends Tables>(tables: T, name: string): T {
  const entries = Object.entries(tables).map(([key, { schema, index }]) => {
    const checked = strict(schema, `${name}.tables.${key}`);
    return [key, { schema: checked, index }];
  });
  return Object.fromEntries(entries);
}

function assertColumns(name: string, columns: ExperimentColumns, tables: Tables): void {
  assertFree(name, "input", columns.input);
  assertFree(name, "output", [...columns.scalars, ...columns.files]);
  const outputs = [...columns.scalars, ...columns.files];
  const taken = new Set(columns.input.filter(isScalarColumn).map((column) => column.name.toLowerCase()));
  const twice = outputs.find((column) => taken.has(column.name.toLowerCase()));
  if (twice) throw invalid(name, `output.${twice.name} is also an input field; one table holds both`);
  if (outputs.some((column) => column.name === "tables")) {
    throw invalid(name, "output.tables is reserved for the rows of tables");
  }
  const twins = caseTwins(Object.keys(tables));
  if (twins) throw invalid(name, `tables.${twins[0]} and tables.${twins[1]} differ only in case`);
  for (const [key, { index }] of Object.entries(tables)) {
    if (!SAFE_NAME.test(key)) throw invalid(name, `tables.${key}: not a file name`);
    if (RESERVED_TABLES.has(key.toLowerCase()))
      throw invalid(name, `tables.${key} has the name of a table that Scythe writes`);
    assertFree(name, `tables.${key}`, columns.tables[key]!);
    const file = columns.tables[key]!.find((column) => column.file);
    if (file) throw invalid(name, `tables.${key}.${file.name}: files belong in the output, not in a table`);
    const own = new Map(columns.tables[key]!.map((column) => [column.name, column]));
    const clash = columns.tables[key]!.find((column) => taken.has(column.name.toLowerCase()));
    if (clash) throw invalid(name, `tables.${key}.${clash.name} is also an input field; one table holds both`);
    const missing = index.find((column) => !own.has(column));
    if (missing) throw invalid(name, `tables.${key}: index column ${missing} is not a column of the table`);
    const nested = index.find((column) => !isScalarColumn(own.get(column)!));
    if (nested) throw invalid(name, `tables.${key}: index column ${nested} must have one scalar value per row`);
  }
}

function assertFree(name: string, where: string, columns: readonly Column[]): void {
  for (const column of columns) {
    if (RESERVED_COLUMNS.has(column.name.toLowerCase()))
      throw invalid(name, `${where}.${column.name} is a reserved column`);
    if (!/^[^\0/\\]{1,128}$/.test(column.name) || !column.name.isWellFormed())
      throw invalid(name, `${where}: ${column.name} cannot be a column's name`);
    if (column.file && !SAFE_NAME.test(column.name)) {
      throw invalid(name, `${where}.${column.name}: a file field's name becomes a folder; use letters, digits, _ - .`);
    }
    if (column.name.startsWith("__"))
      throw invalid(name, `${where}.${column.name}: names that start with __ are reserved`);
  }
  const twins = caseTwins(columns.map((column) => column.name));
  if (twins) throw invalid(name, `${where}: ${twins[0]} and ${twins[1]} differ only in case, which SQL ignores`);
}

function oneOf<T extends string>(value: T, choices: readonly T[], name: string, field: string): T {
  if (choices.includes(value)) return value;
  throw invalid(name, `${field} must be ${choices.join(" or ")}, not ${JSON.stringify(value)}`);
}

function invalid(name: string, problem: string): ScytheError {
  return new ScytheError("invalid_definition", `Experiment ${name}: ${problem}.`, {
    hint: "Rename or change the field in defineExperiment.",
  });
}

function checkedSpace(name: string, input: readonly Column[], space: object = {}): Experiment["space"] {
  const known = input.map((column) => column.name);
  return Object.fromEntries(
    Object.entries(space as Record<string, Distribution | string>).map(([field, distribution]) => {
      if (!known.includes(field)) {
        throw invalid(name, `space names ${field}, which is no field of its input${didYouMean(field, known)}`);
      }
      try {
        if (typeof distribution === "string") parseDistribution(distribution);
      } catch (cause) {
        throw invalid(name, `space of ${field}: ${messageOf(cause)}`);
      }
      return [field, distribution];
    }),
  );
}

function checkedWhere<W>(name: string, where: W): W {
  if (where === undefined || typeof where === "function") return where;
  throw invalid(name, "where must be a function of a spec that gives true or false");
}
