import { type Command, Option } from "commander";
import { commandText } from "../command-text.ts";
import { driveRun, untilAllocated } from "../drive-run.ts";
import { withProject } from "../open-project.ts";
import { allowPathOption, projectOptions, RUN_NAME, wholeNumber } from "../options.ts";
import { note, print } from "../output.ts";
import {
  allocateOptions,
  type EngineFlags,
  engineOptions,
  oneSpecFile,
  overridesOf,
  specOptions,
} from "../run-options.ts";
import { givenSpecs, type SpecFlags } from "../spec-flags.ts";
import { countText, plural } from "../view/units.ts";

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
  scythe extend projectile@v1.0.0 --grid angle=75,80,85 speed=20,40
  scythe extend projectile -n 1024

-n alone continues the design that the run was made from: both together are one longer design.`;

export function register(command: Command): void {
  specOptions(command)
    .description(
      "Makes a new run, of the next patch version, with the rows of a complete one and of added specs. Only the added specs are run; random numbers are the same as in one run of all.",
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
    process.exitCode = await extendRun(run, specs, flags);
  });
}

/** Whether the flags ask for further points of the run's own design. */
function continuesDesign(
  { n, design, space, fix, option, ...flags }: ExtendFlags,
  specsFile: string | undefined,
): boolean {
  const others = [design, space, fix, option, flags.specs, flags.specsOf, flags.set, flags.grid, specsFile];
  return n !== undefined && others.every((other) => other === undefined);
}

/** Allocates, watches and sums up a run that extends another. Returns the exit code. */
export async function extendRun(reference: string, specsFile: string | undefined, flags: ExtendFlags): Promise<number> {
  const options = allocateOptions(flags);
  return withProject(overridesOf(flags), async (project) => {
    const base = await project.findRun(reference);
    const experiment = project.registry.get(base.manifest.experiment_name);
    const specs = continuesDesign(flags, specsFile)
      ? await project.nextSpecs(base.experimentId, flags.n!)
      : await givenSpecs(project, experiment, oneSpecFile(specsFile, flags));
    const all = { ...options, command: commandText(process.argv.slice(2)) };
    const run = await untilAllocated(project, () => project.extend(base.experimentId, specs, all));
    const { carried_count = 0, spec_count } = run.manifest.scythe!;
    note(
      `${plural(carried_count, "spec")} of ${base.experimentId} kept; ${countText(spec_count - carried_count)} to run`,
    );
    if (!flags.json) await print(`${run.experimentId}\n`);
    return driveRun(run, flags.json);
  });
}
