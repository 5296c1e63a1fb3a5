import { type Command, Option } from "commander";
import { commandText } from "../command-text.ts";
import { isStudyFile } from "../design-flags.ts";
import { driveRun, untilAllocated } from "../drive-run.ts";
import { withProject } from "../open-project.ts";
import { allowPathOption, filled, projectOptions, wholeNumber } from "../options.ts";
import { print } from "../output.ts";
import {
  allocateOptions,
  engineOptions,
  oneSpecFile,
  overridesOf,
  type RunFlags,
  specOptions,
} from "../run-options.ts";
import { givenSpecs, studySpecs } from "../spec-flags.ts";

const EXAMPLES = `
Examples:
  scythe run projectile --specs specs.csv
  scythe run projectile --set speed=40 angle=35
  scythe run projectile --grid angle=15,30,45 speed=20,40 --set mass=0.145
  ./make-specs | scythe run projectile --specs - --format jsonl
  scythe run projectile --specs-of projectile@v1.0.0
  scythe run projectile --design lhs -n 500 --space speed=loguniform:5,50 --fix mass=0.145
  scythe run study.yml

Without specs, the experiment's fields are listed.`;

export function register(command: Command): void {
  specOptions(command)
    .description("Runs an experiment. Prints the run's experiment_id as soon as it is allocated.")
    .argument("<experiment>", "its name in scythe.config.ts, or a study file")
    .argument("[specs]", "a spec file, as --specs")
    .addOption(new Option("--seed <n>", "seed of the specs' random numbers, and of a design").argParser(wholeNumber(0)))
    .option("--version-bump <how>", "bumpmajor (default), bumpminor, bumppatch, keep, or a version such as v1.2.0")
    .option("--run-name <name>", "store the run under another name than the experiment's", filled)
    .addOption(new Option("--factor <n>", "children of a node (with --max-depth)").argParser(wholeNumber(1)))
    .addOption(new Option("--max-depth <n>", "levels of nodes (with --factor)").argParser(wholeNumber(0)))
    .addOption(new Option("--chunk-size <n>", "specs of a chunk, instead of measuring").argParser(wholeNumber(1)))
    .option("--keep-sort-index", "keep the sort_index given in the specs")
    .option("--parent <run>", "the run that this one continues, for its lineage")
    .option("--copy-inputs", "store http(s):// and s3:// input files with the run, too")
    .addOption(allowPathOption())
    .addHelpText("after", EXAMPLES);
  engineOptions(projectOptions(command)).action(
    async (experiment: string, specs: string | undefined, flags: RunFlags) => {
      process.exitCode = await runExperiment(experiment, specs, flags);
    },
  );
}

/** Allocates, watches and sums up a run. Returns the exit code. */
export async function runExperiment(named: string, specsFile: string | undefined, flags: RunFlags): Promise<number> {
  const given = allocateOptions(flags);
  return withProject(overridesOf(flags), async (project) => {
    const study = isStudyFile(named) ? await project.readStudy(named) : undefined;
    const name = study?.experiment ?? named;
    const options = { ...study?.options, ...given };
    const experiment = project.registry.get(name);
    const specs = study
      ? await studySpecs(project, study, oneSpecFile(specsFile, flags))
      : await givenSpecs(project, experiment, oneSpecFile(specsFile, flags));
    const parentName = flags.parent ?? flags.specsOf;
    const parent = parentName === undefined ? {} : { parentRun: (await project.findRun(parentName)).experimentId };
    const command = commandText(process.argv.slice(2));
    const run = await untilAllocated(project, () => project.allocate(name, specs, { ...options, ...parent, command }));
    if (!flags.json) await print(`${run.experimentId}\n`);
    return driveRun(run, flags.json);
  });
}
