import { type Command, Option } from "commander";
import { allowPathOption, projectOptions, RUN_NAME, wholeNumber } from "./options.ts";
import { type EngineFlags, engineOptions, specOptions } from "./run.ts";
import type { SpecFlags } from "./spec-flags.ts";

export interface ExtendFlags extends EngineFlags, SpecFlags {
  versionBump?: string;
  factor?: number;
  maxDepth?: number;
  chunkSize?: number;
  copyInputs?: boolean;
  allowPath?: string[];
}

const EXAMPLES = `
Examples:
  scythe extend projectile --specs more.csv
  scythe extend projectile@v1.0.0 --grid angle=75,80,85 speed=20,40`;

export function registerExtend(program: Command): void {
  const command = specOptions(program.command("extend"))
    .summary("add specs to a complete run, as a new run that computes only those")
    .description(
      "Makes a new run, of the next patch version, that has the rows of a complete one and those of further specs. Only the further specs are run; random numbers are what they would be in one run of all.",
    )
    .argument("<run>", RUN_NAME)
    .argument("[specs]", "a spec file, as --specs")
    .option("--version-bump <how>", "bumppatch (default), bumpminor, bumpmajor, keep, or a version such as v1.2.0")
    .addOption(new Option("--factor <n>", "children of a node (with --max-depth)").argParser(wholeNumber(1)))
    .addOption(new Option("--max-depth <n>", "levels of nodes (with --factor)").argParser(wholeNumber(0)))
    .addOption(new Option("--chunk-size <n>", "specs of a chunk").argParser(wholeNumber(1)))
    .option("--copy-inputs", "store http(s):// and s3:// input files with the run, too")
    .addOption(allowPathOption())
    .addHelpText("after", EXAMPLES);
  engineOptions(projectOptions(command)).action(async (run: string, specs: string | undefined, flags: ExtendFlags) => {
    const { extendRun } = await import("./extend-run.ts");
    process.exitCode = await extendRun(run, specs, flags);
  });
}
