import { type Command, Option } from "commander";
import { ScytheError } from "../errors.ts";
import { type AllocateOptions, type Overrides, TEXT_FORMATS } from "../index.ts";
import { designOptions } from "./design-flags.ts";
import { wholeNumber } from "./options.ts";
import { note } from "./output.ts";
import type { SpecFlags } from "./spec-flags.ts";

/** Where and how a run is driven. */
export interface EngineFlags {
  storage?: string;
  engine?: string;
  slots?: number;
  maxFailures?: string;
  json?: boolean;
}

/** What the flags of `scythe run` say. */
export interface RunFlags extends EngineFlags, SpecFlags {
  seed?: number;
  versionBump?: string;
  runName?: string;
  factor?: number;
  maxDepth?: number;
  chunkSize?: number;
  keepSortIndex?: boolean;
  copyInputs?: boolean;
  allowPath?: string[];
  parent?: string;
}

/** Flags that say which specs. */
export function specOptions(command: Command): Command {
  return designOptions(command)
    .option("--specs <file>", "a .csv, .jsonl, .json or .parquet file of specs; - for stdin")
    .addOption(new Option("--format <format>", "what stdin holds; detected by default").choices(TEXT_FORMATS))
    .option("--specs-of <run>", "the specs of another run, without its ids")
    .option("--set <field=value...>", "one spec; with --grid, constants for the whole grid")
    .option("--grid <field=values...>", "values separated by commas: every combination is a spec");
}

/** Flags of commands that drive a run. */
export function engineOptions(command: Command): Command {
  return command
    .option("--engine <name>", "local (child processes), inline (this process) or hatchet (a cluster)")
    .addOption(new Option("--slots <n>", "specs that run at the same time").argParser(wholeNumber(1)))
    .option("--max-failures <n>", "stop when more specs than this have failed: a number, or a share such as 1%");
}

export function oneSpecFile<F extends Pick<RunFlags, "specs">>(specsFile: string | undefined, flags: F): F {
  if (specsFile === undefined) return flags;
  if (flags.specs === undefined) return { ...flags, specs: specsFile };
  throw new ScytheError("invalid_input", `Two spec files are given: ${specsFile} and ${flags.specs}`, {
    hint: "Give one, as an argument or by --specs.",
  });
}

export function overridesOf({ storage, engine, slots }: EngineFlags): Overrides {
  return {
    ...(storage === undefined ? {} : { storage }),
    ...(engine === undefined ? {} : { engine }),
    ...(slots === undefined ? {} : { slots }),
  };
}

export function allocateOptions(flags: RunFlags): AllocateOptions {
  const { factor, maxDepth } = flags;
  if ((factor === undefined) !== (maxDepth === undefined)) {
    throw new ScytheError("invalid_input", "--factor and --max-depth need each other", {
      hint: "Give both, such as --factor 32 --max-depth 1, or neither.",
    });
  }
  return {
    onNotice: note,
    ...(flags.versionBump === undefined ? {} : { version: flags.versionBump }),
    ...(flags.runName === undefined ? {} : { runName: flags.runName }),
    ...(flags.seed === undefined ? {} : { seed: flags.seed }),
    ...(flags.maxFailures === undefined ? {} : { maxFailures: flags.maxFailures as `${number}%` }),
    ...(flags.chunkSize === undefined ? {} : { chunkSize: flags.chunkSize }),
    ...(flags.allowPath === undefined ? {} : { allowPaths: flags.allowPath }),
    ...(flags.copyInputs === undefined ? {} : { copyInputs: flags.copyInputs }),
    ...(flags.keepSortIndex === undefined ? {} : { keepSortIndex: flags.keepSortIndex }),
    ...(factor === undefined || maxDepth === undefined ? {} : { recursion: { factor, maxDepth } }),
  };
}
