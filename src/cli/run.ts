import { type Command, Option } from "commander";
import { TEXT_FORMATS } from "../spec-file/source.ts";
import { allowPathOption, filled, projectOptions, wholeNumber } from "./options.ts";
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

const EXAMPLES = `
Examples:
  scythe run projectile --specs specs.csv
  scythe run projectile --set speed=40 angle=35
  scythe run projectile --grid angle=15,30,45 speed=20,40 --set mass=0.145
  ./make-specs | scythe run projectile --specs - --format jsonl
  scythe run projectile --specs-of projectile@v1.0.0

Without specs, the experiment's fields are listed.`;

/** Flags that say which specs. */
export function specOptions(command: Command): Command {
  return command
    .option("--specs <file>", "a .csv, .jsonl, .json or .parquet file of specs; - for stdin")
    .addOption(new Option("--format <format>", "what stdin holds; told from its start").choices(TEXT_FORMATS))
    .option("--specs-of <run>", "the specs of another run")
    .option("--set <field=value...>", "one spec; with --grid, constants over the grid")
    .option("--grid <field=values...>", "values split by commas: every combination is a spec");
}

/** Flags of commands that drive a run. */
export function engineOptions(command: Command): Command {
  return command
    .option("--engine <name>", "local (child processes), inline (this process) or hatchet (a cluster)")
    .addOption(new Option("--slots <n>", "specs that run at the same time").argParser(wholeNumber(1)))
    .option("--max-failures <n>", "stop when more specs than this have failed: a number, or a share such as 1%");
}

export function registerRun(program: Command): void {
  const command = specOptions(program.command("run"))
    .summary("run an experiment on specs from a file, flags or a grid")
    .description("Runs an experiment. Prints the run's experiment_id as soon as it is allocated.")
    .argument("<experiment>", "its name in scythe.config.ts")
    .argument("[specs]", "a spec file, as --specs")
    .addOption(new Option("--seed <n>", "seed of the specs' random numbers").argParser(wholeNumber(0)))
    .option("--version-bump <how>", "bumpmajor (default), bumpminor, bumppatch, keep, or a version such as v1.2.0")
    .option("--run-name <name>", "store the run under another name than the experiment's", filled)
    .addOption(new Option("--factor <n>", "children of a node (with --max-depth)").argParser(wholeNumber(1)))
    .addOption(new Option("--max-depth <n>", "levels of nodes (with --factor)").argParser(wholeNumber(0)))
    .addOption(new Option("--chunk-size <n>", "specs of a chunk, instead of measuring").argParser(wholeNumber(1)))
    .option("--keep-sort-index", "keep the sort_index that specs bring along")
    .option("--parent <run>", "the run that this one goes on from, for its lineage")
    .option("--copy-inputs", "store http(s):// and s3:// input files with the run, too")
    .addOption(allowPathOption())
    .addHelpText("after", EXAMPLES);
  engineOptions(projectOptions(command)).action(
    async (experiment: string, specs: string | undefined, flags: RunFlags) => {
      const { runExperiment } = await import("./run-experiment.ts");
      process.exitCode = await runExperiment(experiment, specs, flags);
    },
  );
}
