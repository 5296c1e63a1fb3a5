import { setImmediate as nextTurn } from "node:timers/promises";
import { parse } from "csv-parse/sync";
import { ScytheError } from "../errors.ts";
import {
  type AnyExperiment,
  isScalarField,
  parseField,
  readSpecs,
  type Scythe,
  type SpecsInput,
  type Study,
  type TextFormat,
} from "../index.ts";
import { asksForDesign, type DesignFlags, designRequest } from "./design-flags.ts";
import { fieldsOf, fieldTable } from "./view/field-list.ts";

export interface SpecFlags extends DesignFlags {
  specs?: string;
  format?: TextFormat;
  specsOf?: string;
  set?: string[];
  grid?: string[];
}

type Spec = Record<string, unknown>;

function assertOnlyDesign({ specs, specsOf, set = [], grid = [] }: SpecFlags): void {
  if (specs === undefined && specsOf === undefined && set.length + grid.length === 0) return;
  throw new ScytheError("invalid_input", "A design cannot be combined with --specs, --specs-of, --set or --grid", {
    hint: "Give a value that all specs have by --fix field=value, and how a field is spread by --space.",
  });
}

/** The specs that a study file asks for; flags of the design come before what it says. */
export async function studySpecs(project: Scythe, study: Study, flags: SpecFlags): Promise<SpecsInput<Spec>> {
  assertOnlyDesign(flags);
  return project.design(study.experiment, designRequest(flags, study.request), study.place);
}

/** {@link specsFromFlags}, and those of another run. */
export async function givenSpecs(
  project: Scythe,
  experiment: AnyExperiment,
  flags: SpecFlags,
): Promise<SpecsInput<Spec>> {
  const { specsOf, specs, set = [], grid = [] } = flags;
  if (asksForDesign(flags)) {
    assertOnlyDesign(flags);
    return project.design(experiment, designRequest(flags));
  }
  if (specsOf === undefined) return specsFromFlags(experiment, flags);
  if (specs !== undefined || set.length + grid.length > 0) {
    throw new ScytheError("invalid_input", "--specs-of cannot be combined with --specs, --set or --grid", {
      hint: "Give the specs in one way.",
    });
  }
  return project.specsOf(specsOf);
}

/**
 * The specs that the flags of `scythe run` describe: a file's path, stdin, one spec, or a grid as a stream.
 * @throws ScytheError `invalid_input` naming the field, and the fields there are when none is given
 */
export function specsFromFlags(
  experiment: AnyExperiment,
  { specs, format, set = [], grid = [] }: SpecFlags,
): SpecsInput<Spec> {
  if (specs !== undefined && set.length + grid.length > 0) {
    throw new ScytheError("invalid_input", "--specs cannot be combined with --set or --grid", {
      hint: "Put the values into the spec file, or give all of them by --set and --grid.",
    });
  }
  if (specs === "-") return readSpecs(process.stdin, { name: "stdin", format });
  if (format !== undefined) {
    throw new ScytheError("invalid_input", "--format says what stdin holds, and needs --specs -", {
      hint: "A file's extension says what it is.",
    });
  }
  if (specs !== undefined) return specs;
  const constants = constantsOf(experiment, set);
  const axes = axesOf(experiment, grid);
  const twice = [...axes.keys()].find((field) => constants.has(field));
  if (twice !== undefined) {
    throw new ScytheError("invalid_input", `${twice} is given by both --set and --grid`, { hint: "Give it once." });
  }
  assertComplete(experiment, new Set([...constants.keys(), ...axes.keys()]));
  const base = Object.fromEntries([...constants].filter(([, value]) => value !== undefined));
  return axes.size === 0 ? base : gridOf(base, axes);
}

/** The cartesian product in order, the last axis fastest. It lets signals in now and then. */
export async function* gridOf(base: Spec, axes: ReadonlyMap<string, readonly unknown[]>): AsyncGenerator<Spec> {
  const entries = [...axes];
  const total = entries.reduce((product, [, values]) => product * values.length, 1);
  for (let n = 0; n < total; n++) {
    const spec = { ...base };
    let rest = n;
    for (let a = entries.length - 1; a >= 0; a--) {
      const [field, values] = entries[a]!;
      const value = values[rest % values.length];
      if (value !== undefined) spec[field] = value;
      rest = Math.floor(rest / values.length);
    }
    yield spec;
    if (n % 10_000 === 9_999) await nextTurn();
  }
}

function constantsOf(experiment: AnyExperiment, set: readonly string[]): Map<string, unknown> {
  const constants = new Map<string, unknown>();
  for (const text of set) {
    const { field, value } = assignment(text, "--set");
    if (constants.has(field)) {
      throw new ScytheError("invalid_input", `--set gives ${field} twice`, {
        hint: `For several values of a field: --grid ${field}=…,…`,
      });
    }
    constants.set(field, parseField(experiment, field, value));
  }
  return constants;
}

/** A field that is given again has more values; one that holds lists or objects takes one value a flag. */
function axesOf(experiment: AnyExperiment, grid: readonly string[]): Map<string, unknown[]> {
  const axes = new Map<string, unknown[]>();
  for (const text of grid) {
    const { field, value } = assignment(text, "--grid");
    const texts = isScalarField(experiment, field) ? splitValues(value) : [value];
    const values = texts.map((own) => parseField(experiment, field, own));
    axes.set(field, [...(axes.get(field) ?? []), ...values]);
  }
  return axes;
}

/** Commas separate; a value that holds one is quoted, as in CSV. */
export function splitValues(text: string): string[] {
  if (!text.includes('"')) return text.split(",");
  const options = { relax_quotes: true, relax_column_count: true, trim: false };
  return (parse(text, options) as string[][])[0] ?? [""];
}

function assignment(text: string, flag: string): { field: string; value: string } {
  const at = text.indexOf("=");
  if (at > 0) return { field: text.slice(0, at), value: text.slice(at + 1) };
  throw new ScytheError("invalid_input", `${flag} needs field=value, not ${JSON.stringify(text)}`, {
    hint: `Write the experiment's name before the flags: scythe run <experiment> ${flag} field=value`,
  });
}

/** Reports missing fields at once, not after a million specs that all lack them. */
function assertComplete(experiment: AnyExperiment, given: ReadonlySet<string>): void {
  const fields = fieldsOf(experiment);
  const missing = fields.filter(({ name, required }) => required && !given.has(name)).map(({ name }) => name);
  if (missing.length === 0) return;
  const what =
    given.size === 0
      ? "No specs are given for"
      : `${missing.join(", ")} ${missing.length === 1 ? "is" : "are"} missing for`;
  throw new ScytheError("invalid_input", `${what} ${experiment.name}, whose fields are:\n\n${fieldTable(fields)}\n`, {
    hint: `Give --specs <file>, --set ${missing[0]}=…, or --grid ${missing[0]}=…,…`,
    details: { missing, fields },
  });
}
