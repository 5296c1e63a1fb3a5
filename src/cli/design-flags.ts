import { type Command, Option } from "commander";
import { ScytheError } from "../errors.ts";
import { DESIGN_NAMES, type DesignName, type DesignOptions, type DesignRequest, type Level } from "../index.ts";
import { filledList, wholeNumber } from "./options.ts";

/** Flags that say which specs a design gives. */
export interface DesignFlags {
  design?: DesignName;
  n?: number;
  seed?: number;
  space?: string[];
  fix?: string[];
  option?: string[];
}

export function designOptions(command: Command): Command {
  return command
    .addOption(new Option("--design <name>", "specs from the experiment's schema").choices(DESIGN_NAMES))
    .addOption(
      new Option("-n, --n <points>", "points of the design (default design: sobol, which can be extended)").argParser(
        wholeNumber(1),
      ),
    )
    .option("--space <field=distribution...>", "how a field is spread: r_value=loguniform:0.5,15", filledList)
    .option("--fix <field=value...>", "a value that all specs have", filledList)
    .option("--option <name=value...>", "of the design: scramble, optimise, centred, levels, secondOrder", filledList);
}

/** Whether an argument is the path of a study file rather than an experiment's name. */
export function isStudyFile(named: string): boolean {
  return /\.ya?ml$/i.test(named);
}

/** Whether the flags ask for a design. */
export function asksForDesign({ design, n, space, fix, option }: DesignFlags): boolean {
  return [design, n, space, fix, option].some((flag) => flag !== undefined);
}

/** What the flags say, before what a study file says. */
export function designRequest(flags: DesignFlags, study: DesignRequest = {}): DesignRequest {
  const { design, n, seed } = flags;
  const spread = assignments(flags.space, "--space");
  const space = { ...study.space, ...spread };
  const fixed: Record<string, Level> = { ...study.fixed };
  for (const field of Object.keys(spread)) delete fixed[field];
  for (const [field, text] of Object.entries(assignments(flags.fix, "--fix"))) {
    fixed[field] = fixedValue(text);
    if (!Object.hasOwn(spread, field)) delete space[field];
  }
  const options = { ...(design === undefined || design === study.design ? study.options : {}), ...optionsOf(flags) };
  return {
    ...study,
    ...(design === undefined ? {} : { design }),
    ...(n === undefined ? {} : { n }),
    ...(seed === undefined ? {} : { seed }),
    ...(Object.keys(space).length === 0 ? {} : { space }),
    ...(Object.keys(fixed).length === 0 ? {} : { fixed }),
    ...(Object.keys(options).length === 0 ? {} : { options }),
  };
}

/** As in a cell of a spec file; the design takes text for a number, or the other way round, where the field needs it. */
function fixedValue(text: string): string | number | boolean | null {
  if (text === "" || text === "null") return null;
  if (text === "true" || text === "false") return text === "true";
  const number = Number(text);
  return String(number) === text && Number.isFinite(number) ? number : text; // 007 may be a code
}

function optionsOf({ option }: DesignFlags): DesignOptions {
  const options: Record<string, unknown> = {};
  const levels: Record<string, number> = {};
  for (const [name, text] of Object.entries(assignments(option, "--option"))) {
    const [, field] = /^levels\.(.+)$/.exec(name) ?? [];
    if (field !== undefined) levels[field] = Number(text);
    else
      options[name] = text === "true" || text === "false" ? text === "true" : /^\d+$/.test(text) ? Number(text) : text;
  }
  return { ...options, ...(Object.keys(levels).length === 0 ? {} : { levels }) };
}

/** `name=value`, each name once. */
function assignments(texts: readonly string[] = [], flag: string): Record<string, string> {
  const found = new Map<string, string>();
  for (const text of texts) {
    const at = text.indexOf("=");
    if (at <= 0) {
      throw new ScytheError("invalid_input", `${flag} needs name=value, not ${JSON.stringify(text)}`, {
        hint: `For example: ${flag === "--space" ? "--space r_value=loguniform:0.5,15" : `${flag} name=value`}`,
      });
    }
    const name = text.slice(0, at);
    if (found.has(name)) {
      throw new ScytheError("invalid_input", `${flag} gives ${name} twice`, { hint: "Give it once." });
    }
    found.set(name, text.slice(at + 1));
  }
  return Object.fromEntries(found);
}
