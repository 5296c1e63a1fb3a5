import { z } from "zod";
import { ScytheError } from "../../errors.ts";
import { toJson } from "../../json.ts";
import { didYouMean } from "../../known-keys.ts";
import { columnsOf } from "../../schema/columns.ts";
import { makeSpecValidator } from "../../schema/spec-validator.ts";
import { isOpen } from "../../schema/validate.ts";
import { distributionText, parseDistribution } from "./distribution-text.ts";
import {
  type Continuous,
  type Distribution,
  discrete,
  fixed,
  isContinuous,
  type Level,
  truncatedNormal,
  uniform,
} from "./distributions.ts";
import { domainOf, type FieldDomain } from "./field-domain.ts";
import { type Space, type SpaceField, samplerOf } from "./space.ts";

/** What is said of fields beyond what their schema says. */
export interface SpaceRequest {
  /** Distributions by field, in code (`loguniform(0.5, 15)`) or as text (`"loguniform:0.5,15"`). */
  space?: Readonly<Record<string, Distribution | string>>;
  /** Values by field that all specs have; null leaves out a field that may be left out. */
  fixed?: Readonly<Record<string, Level>>;
}

/** A space, and what was changed to get it. */
export interface SpaceReading {
  space: Space;
  /** What was not taken as it was said. */
  notices: string[];
}

/**
 * The space of an experiment's specs. A field of the schema that nothing is said of is spread evenly between its bounds, or
 * over its values (an enum, a boolean, literals); it is left out when it may be and has neither.
 * @param schema the experiment's input
 * @throws ScytheError `invalid_input` naming every field that has no bounds and no distribution, with the lines to add; or
 * the field that does not exist, whose distribution leaves its bounds, or whose values the schema refuses
 */
export function spaceOf(schema: z.ZodObject, { space = {}, fixed: constant = {} }: SpaceRequest = {}): SpaceReading {
  const shape = schema._zod.def.shape as Record<string, z.core.$ZodType>;
  assertFields(shape, isOpen(schema), [...Object.keys(space), ...Object.keys(constant)]);
  const twice = Object.keys(space).find((name) => Object.hasOwn(constant, name));
  if (twice !== undefined) throw invalid(twice, "has both a distribution and a fixed value", "Give one of them.");
  const fields: SpaceField[] = [];
  const notices: string[] = [];
  const missing: { name: string; domain: FieldDomain }[] = [];
  const extra = Object.keys({ ...space, ...constant }).filter((name) => !Object.hasOwn(shape, name));
  for (const name of [...Object.keys(shape), ...extra]) {
    const domain: FieldDomain = shape[name] ? domainOf(shape[name]) : { type: "number", omittable: true };
    const said = saidOf(name, space, constant);
    const distribution = said ?? ownDistribution(name, domain);
    if (distribution) {
      const accepts = shape[name] ? acceptor(name, shape[name]) : () => true;
      const field = fieldOf(name, domain, fitted(name, distribution, domain, accepts, notices));
      if (field) fields.push(field);
    } else if (!domain.omittable) missing.push({ name, domain });
  }
  if (missing.length > 0) throw unbounded(missing);
  return { space: fields, notices };
}

function saidOf(name: string, space: Required<SpaceRequest>["space"], constant: Required<SpaceRequest>["fixed"]) {
  if (Object.hasOwn(constant, name)) return fixed(constant[name]!);
  if (!Object.hasOwn(space, name)) return undefined;
  const said = space[name]!;
  try {
    // what code gives is data, too, and may be wrong: the text form checks it
    return parseDistribution(typeof said === "string" ? said : distributionText(said));
  } catch (error) {
    if (!(error instanceof ScytheError)) throw error;
    const options = { ...(error.hint === undefined ? {} : { hint: error.hint }), cause: error };
    throw new ScytheError("invalid_input", `${name}: ${error.message}`, { ...options, details: { field: name } });
  }
}

/** By the schema alone; undefined where it does not say enough. */
function ownDistribution(name: string, domain: FieldDomain): Distribution | undefined {
  const { levels, low, high } = domain;
  if (levels) return levels.length === 1 ? fixed(levels[0]!) : discrete(levels);
  if (low === undefined || high === undefined) return undefined;
  if (low > high || (low === high && (domain.above !== undefined || domain.below !== undefined))) {
    throw invalid(
      name,
      `cannot have any value: its bounds in the schema, ${low} and ${high}, contradict each other`,
      "Correct the schema.",
    );
  }
  return low === high ? fixed(low) : uniform(low, high);
}

/** Undefined for a field that is left out. */
function fieldOf(name: string, domain: FieldDomain, distribution: Distribution): SpaceField | undefined {
  if (distribution.kind === "fixed" && distribution.value === null && domain.omittable) return undefined;
  const numeric = domain.type === "number" || domain.type === "integer" || domain.type === "bigint";
  const field: SpaceField = {
    name,
    type: numeric ? (domain.type as SpaceField["type"]) : "value",
    distribution: distributionText(distribution),
  };
  if (numeric && isContinuous(distribution)) {
    if (domain.step !== undefined) field.step = domain.step;
    const unbounded = distribution.kind === "normal";
    if (domain.above !== undefined && (unbounded || distribution.low <= domain.above)) field.above = domain.above;
    if (domain.below !== undefined && (unbounded || distribution.high >= domain.below)) field.below = domain.below;
  }
  if (domain.unit !== undefined) field.unit = domain.unit;
  samplerOf(field); // says so if it holds nothing
  return field;
}

type Accepts = (value: Level) => boolean;

/** The distribution as the field can have it. */
function fitted(
  name: string,
  distribution: Distribution,
  domain: FieldDomain,
  accepts: Accepts,
  notices: string[],
): Distribution {
  switch (distribution.kind) {
    case "fixed":
      if (distribution.value === null && domain.omittable) return distribution;
      return fixed(resolved(name, distribution.value, accepts));
    case "discrete":
      return discrete(
        distribution.values.map((value) => resolved(name, value, accepts)),
        distribution.weights,
      );
    case "files":
      if (domain.type === "file") return distribution;
      throw invalid(name, "is no file", `List its values: ${name}=discrete:….`);
    default:
      if (!["number", "integer", "bigint"].includes(domain.type)) {
        const instead = domain.type === "file" ? "files" : "discrete";
        throw invalid(
          name,
          `is no number, and cannot be spread as ${distributionText(distribution)}`,
          `Write ${name}=${instead}:….`,
        );
      }
      return withinBounds(name, distribution, domain, notices);
  }
}

/** A value that the schema takes; text that a command line took for a number, or the other way round, is put right. */
function resolved(name: string, value: Level, accepts: Accepts): Level {
  if (accepts(value)) return value;
  const scalar = typeof value === "number" || typeof value === "boolean";
  const others: Level[] = scalar
    ? [String(value)]
    : typeof value === "string" && value.trim() !== ""
      ? [Number(value)]
      : [];
  const other = others.find((candidate) => !Number.isNaN(candidate) && accepts(candidate));
  if (other !== undefined) return other;
  throw invalid(name, `cannot be ${toJson(value)}: the schema refuses it`, "Give values that a spec may have.");
}

function acceptor(name: string, field: z.core.$ZodType): Accepts {
  const schema = z.object({ [name]: field as z.ZodType });
  const validate = makeSpecValidator(schema, columnsOf(schema, "input"));
  return (value) => validate({ [name]: value }).ok;
}

/** So far from the mean that no probability in double precision reaches it: no bound at all. */
const UNREACHED = 9;

function withinBounds(name: string, distribution: Continuous, domain: FieldDomain, notices: string[]): Distribution {
  const { low, high } = domain;
  if (distribution.kind === "normal") {
    if (low === undefined && high === undefined) return distribution;
    const { mean, sd } = distribution;
    const from = low ?? Math.min(mean, high!) - UNREACHED * sd;
    const to = high ?? Math.max(mean, low!) + UNREACHED * sd;
    notices.push(
      `${name}: ${distributionText(distribution)} is cut off at the field's bounds (${boundsText(domain)}).`,
    );
    return truncatedNormal(mean, sd, from, to);
  }
  if ((low === undefined || distribution.low >= low) && (high === undefined || distribution.high <= high)) {
    return distribution;
  }
  throw invalid(
    name,
    `has the bounds ${boundsText(domain)} in the schema, and ${distributionText(distribution)} leaves them`,
    "Narrow the distribution, or widen the schema.",
  );
}

function boundsText({ low, high, above, below }: FieldDomain): string {
  const from = low === undefined ? "" : above === undefined ? `from ${low}` : `above ${low}`;
  const to = high === undefined ? "" : below === undefined ? `up to ${high}` : `below ${high}`;
  return [from, to].filter((text) => text !== "").join(" ");
}

function assertFields(shape: object, open: boolean, names: readonly string[]): void {
  const unknown = names.find((name) => !Object.hasOwn(shape, name));
  if (unknown === undefined || open) return;
  const known = Object.keys(shape);
  throw new ScytheError(
    "invalid_input",
    `The experiment has no input ${toJson(unknown)}${didYouMean(unknown, known)}`,
    {
      hint: `There are: ${known.join(", ")}.`,
      details: { field: unknown, known },
    },
  );
}

function unbounded(missing: readonly { name: string; domain: FieldDomain }[]): ScytheError {
  const names = missing.map(({ name }) => name);
  const problem = missing.map(({ name, domain }) => `${name} ${lackOf(domain)}`).join("; ");
  const lines = missing.map(({ name, domain }) => `  --space ${name}=${exampleFor(domain)}`);
  const code = missing.map(({ name, domain }) => `${name}: ${codeFor(domain)}`).join(", ");
  return new ScytheError("invalid_input", `The schema does not say how to spread every field: ${problem}`, {
    hint: `Add\n${lines.join("\n")}\nor, in code, space: { ${code} }; or give the field bounds in the schema, or one value with --fix ${names[0]}=….`,
    details: { fields: names },
  });
}

function lackOf({ type, low, high }: FieldDomain): string {
  if (type === "file") return "is a file";
  if (type === "text") return "is text without a list of values";
  if (type === "other") return "is of no kind that has bounds";
  if (low === undefined && high === undefined) return "has no bounds";
  return low === undefined ? "has no lower bound" : "has no upper bound";
}

function exampleFor(domain: FieldDomain): string {
  if (domain.type === "file") return "files:first,second";
  if (domain.type === "text" || domain.type === "other") return "discrete:a,b,c";
  return distributionText(uniform(...exampleBounds(domain)));
}

function codeFor(domain: FieldDomain): string {
  if (domain.type === "file") return 'files(["first", "second"])';
  if (domain.type === "text" || domain.type === "other") return 'discrete(["a", "b", "c"])';
  return `uniform(${exampleBounds(domain).join(", ")})`;
}

function exampleBounds({ low, high }: FieldDomain): [number, number] {
  const from = low ?? (high === undefined || high > 0 ? 0 : high - 1);
  return [from, high ?? (from < 1 ? 1 : from * 2)];
}

function invalid(name: string, problem: string, hint: string): ScytheError {
  return new ScytheError("invalid_input", `${name} ${problem}`, { hint, details: { field: name } });
}
