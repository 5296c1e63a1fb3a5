import { ScytheError } from "../../errors.ts";
import { fromJson, toJson } from "../../json.ts";
import { didYouMean } from "../../known-keys.ts";
import {
  beta,
  type Distribution,
  discrete,
  files,
  fixed,
  type Level,
  loguniform,
  normal,
  triangular,
  truncatedNormal,
  uniform,
} from "./distributions.ts";

/**
 * The text form of distributions, for command lines, study files and manifests:
 *
 * ```
 * uniform:0,15             loguniform:0.5,15          normal:20,2 (mean, sd)     truncnormal:20,2,15,25
 * triangular:0,5,15        beta:2,5  beta:2,5,0,15    fixed:4
 * discrete:a,b,c           discrete:a=0.5,b=0.3,c=0.2                            files:chicago.epw,boston.epw
 * ```
 *
 * A value is written bare, or as JSON where it has a comma, an equals sign, quotes or spaces at its ends, or is a text that
 * looks like something else: `discrete:"1","2"`.
 */
export function parseDistribution(text: string): Distribution {
  const [, kind = "", rest] = /^\s*([^:]*?)\s*(?::([\s\S]*))?$/.exec(text) ?? [];
  const form = Object.hasOwn(FORMS, kind) ? FORMS[kind as Distribution["kind"]] : undefined;
  if (!form) {
    const known = Object.keys(FORMS);
    throw new ScytheError("invalid_input", `There is no distribution ${toJson(kind)}${didYouMean(kind, known)}`, {
      hint: `There are: ${known.join(", ")}. For example loguniform:0.5,15.`,
      details: { distribution: kind, known },
    });
  }
  const items = itemsOf(rest ?? "", text);
  if (items.length >= form.least && items.length <= form.most) return form.make(items);
  throw new ScytheError("invalid_input", `${toJson(text)} does not say what ${kind} needs`, {
    hint: `Write ${form.example}.`,
  });
}

/** The text that {@link parseDistribution} makes the same distribution of. */
export function distributionText(distribution: Distribution): string {
  switch (distribution.kind) {
    case "discrete": {
      const { values, weights } = distribution;
      return `discrete:${values.map((value, i) => `${itemText(value)}${weights ? `=${weights[i]}` : ""}`).join(",")}`;
    }
    case "fixed":
      return `fixed:${itemText(distribution.value)}`;
    case "files":
      return `files:${distribution.paths.map(itemText).join(",")}`;
    default: {
      const { kind, ...numbers } = distribution;
      const names = (NUMBERS as Partial<typeof NUMBERS>)[kind] ?? []; // an unknown kind is refused where it is read
      return `${kind}:${names.map((name) => (numbers as Record<string, number>)[name]).join(",")}`;
    }
  }
}

/** The numbers of each kind, in the order of its text. */
const NUMBERS = {
  uniform: ["low", "high"],
  loguniform: ["low", "high"],
  normal: ["mean", "sd"],
  truncnormal: ["mean", "sd", "low", "high"],
  triangular: ["low", "mode", "high"],
  beta: ["alpha", "beta", "low", "high"],
} as const;

interface Item {
  value: Level;
  /** As it was written, when it was bare. */
  bare?: string;
  weight?: number;
}

interface Form {
  least: number;
  most: number;
  example: string;
  make(items: readonly Item[]): Distribution;
}

const FORMS: Record<Distribution["kind"], Form> = {
  uniform: ofNumbers(2, 2, "uniform:low,high", ([low, high]) => uniform(low!, high!)),
  loguniform: ofNumbers(2, 2, "loguniform:low,high", ([low, high]) => loguniform(low!, high!)),
  normal: ofNumbers(2, 2, "normal:mean,sd", ([mean, sd]) => normal(mean!, sd!)),
  truncnormal: ofNumbers(4, 4, "truncnormal:mean,sd,low,high", ([mean, sd, low, high]) =>
    truncatedNormal(mean!, sd!, low!, high!),
  ),
  triangular: ofNumbers(3, 3, "triangular:low,mode,high", ([low, mode, high]) => triangular(low!, mode!, high!)),
  beta: ofNumbers(2, 4, "beta:alpha,beta or beta:alpha,beta,low,high", ([a, b, low, high]) => beta(a!, b!, low, high)),
  discrete: {
    ...{ least: 1, most: Number.POSITIVE_INFINITY, example: "discrete:a,b,c or discrete:a=0.5,b=0.3,c=0.2" },
    make: (items) => {
      const values = items.map((item) => item.value);
      const weights = items.flatMap((item) => item.weight ?? []);
      return weights.length === 0 ? discrete(values) : discrete(values, weights);
    },
  },
  fixed: {
    ...{ least: 1, most: 1, example: "fixed:value" },
    make: ([item]) => fixed(withoutWeight(item!).value),
  },
  files: {
    ...{ least: 1, most: Number.POSITIVE_INFINITY, example: "files:first.epw,second.epw" },
    make: (items) => files(items.map((item) => withoutWeight(item).bare ?? String(item.value))),
  },
};

function ofNumbers(least: number, most: number, example: string, make: (numbers: number[]) => Distribution): Form {
  return {
    ...{ least, most, example },
    make: (items) =>
      make(
        items.map((item) => {
          const { value, bare } = withoutWeight(item);
          if (typeof value === "number") return value;
          if (bare !== undefined && NUMBER.test(bare)) return Number(bare);
          throw new ScytheError("invalid_input", `${toJson(bare ?? value)} is no number`, {
            hint: `Write ${example}.`,
          });
        }),
      ),
  };
}

function withoutWeight(item: Item): Item {
  if (item.weight === undefined) return item;
  throw new ScytheError("invalid_input", `A weight (=${item.weight}) belongs to values of discrete alone`, {
    hint: 'Put a text that has an equals sign into quotes: "a=b".',
  });
}

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

function itemsOf(rest: string, text: string): Item[] {
  const items: Item[] = [];
  if (rest.trim() === "") return items;
  for (let at = 0; at <= rest.length; ) {
    const start = at + /^\s*/.exec(rest.slice(at))![0].length;
    const quoted = /["[{]/.test(rest[start] ?? "");
    const json = quoted ? jsonAt(rest, start) : undefined;
    if (quoted && !json) throw unreadable(text, rest.slice(start));
    const bare = json ? undefined : /^[^,=]*/.exec(rest.slice(start))![0];
    const end = json?.end ?? start + bare!.length;
    const [all, weight] = /^\s*(?:=\s*([^,]*?)\s*)?(?=,|$)/.exec(rest.slice(end)) ?? [];
    if (all === undefined || bare?.trim() === "") throw unreadable(text, rest.slice(start));
    const value = json ? json.value : bareValue(bare!.trim());
    const item: Item = bare === undefined ? { value } : { value, bare: bare.trim() };
    if (weight !== undefined) {
      if (!NUMBER.test(weight)) throw unreadable(text, weight);
      item.weight = Number(weight);
    }
    items.push(item);
    at = end + all.length + 1;
  }
  return items;
}

/** A number only where it is written as numbers are: `007` and `1.0` may be codes. */
function bareValue(bare: string): Level {
  if (NUMBER.test(bare) && String(Number(bare)) === bare) return Number(bare);
  return bare === "true" ? true : bare === "false" ? false : bare === "null" ? null : bare;
}

/** The JSON value that begins at a place: the shortest text that is one. */
function jsonAt(rest: string, start: number): { value: Level; end: number } | undefined {
  for (let end = start + 1; end <= rest.length; end++) {
    if (!/["\]}]/.test(rest[end - 1]!)) continue;
    try {
      return { value: fromJson(rest.slice(start, end)) as Level, end };
    } catch {
      // not yet complete
    }
  }
  return undefined;
}

function unreadable(text: string, from: string): ScytheError {
  return new ScytheError("invalid_input", `${toJson(text)} cannot be read from ${toJson(from)} on`, {
    hint: 'Separate values by commas, and put those that have a comma, an equals sign or quotes into quotes: "a, b".',
  });
}

/** Bare where that reads back as the same value. */
function itemText(value: Level): string {
  if (typeof value !== "string") return toJson(value);
  const plain = /^[^\s",=[\]{}]([^",=]*[^\s",=])?$/.test(value) && bareValue(value) === value;
  return plain ? value : toJson(value);
}
