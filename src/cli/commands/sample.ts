import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { type Command, Option } from "commander";
import { ScytheError } from "../../errors.ts";
import { type DesignFlags, designOptions, designRequest, isStudyFile } from "../design-flags.ts";
import { withProject } from "../open-project.ts";
import { filled, wholeNumber } from "../options.ts";
import { note, print, printData } from "../output.ts";
import { jsonText } from "../view/json-text.ts";
import { plural } from "../view/units.ts";

interface SampleFlags extends DesignFlags {
  skip?: number;
  output?: string;
  overwrite?: boolean;
  save?: string;
  json?: boolean;
}

const EXAMPLES = `
Examples:
  scythe sample projectile -n 1024 --seed 7 -o specs.parquet
  scythe sample projectile --design lhs -n 200 --option optimise=maximin > specs.csv
  scythe sample projectile -n 256 --space speed=loguniform:5,50 --fix mass=0.145 --save study.yml

Distributions:
  uniform:0,1  loguniform:0.5,15  normal:20,2  truncnormal:20,2,15,25  triangular:0,5,15  beta:2,5,0,15
  discrete:a,b,c  discrete:a=0.5,b=0.3,c=0.2  fixed:4  files:boston.epw,chicago.epw`;

export function register(command: Command): void {
  designOptions(command)
    .description("Makes specs from an experiment's schema by a design, and prints them or writes them to a file.")
    .argument("<experiment>", "its name in scythe.config.ts, or a study file")
    .addOption(new Option("--seed <n>", "seed of the design (default: 0)").argParser(wholeNumber(0)))
    .addOption(new Option("--skip <points>", "leave out the first points of the design").argParser(wholeNumber(0)))
    .option("-o, --output <file>", "write a .parquet, .csv or .jsonl file (default: CSV to stdout)", filled)
    .option("--overwrite", "replace files that exist")
    .option("--save <study.yml>", "write a study file that asks for the same specs", filled)
    .option("--json", "print the design as JSON, in place of its specs")
    .addHelpText("after", EXAMPLES)
    .action(async (experiment: string, flags: SampleFlags) => sample(experiment, flags));
}

async function sample(named: string, flags: SampleFlags): Promise<void> {
  if (flags.save !== undefined && flags.skip !== undefined) {
    throw new ScytheError(
      "invalid_input",
      "A study file cannot leave out points: --save and --skip exclude each other",
      {
        hint: "Save the study without --skip, or write the specs with -o.",
      },
    );
  }
  await withProject({}, async (project) => {
    const study = isStudyFile(named) ? await project.readStudy(named) : undefined;
    const experiment = study?.experiment ?? named;
    const request = designRequest(flags, study?.request);
    const skipped = flags.skip === undefined ? {} : { skip: flags.skip };
    // paths in a spec file are relative to its folder
    const root = flags.output === undefined ? process.cwd() : dirname(resolve(flags.output));
    const specs = await project.design(experiment, { ...request, ...skipped }, { ...study?.place, root });
    for (const warning of specs.warnings) note(warning);
    if (flags.save !== undefined) {
      const move = { from: study?.place.folder ?? process.cwd(), to: dirname(resolve(flags.save)) };
      await writeNew(flags.save, await project.studyText(experiment, request, move), flags.overwrite);
      note(`${flags.save} is written. To run it: scythe run ${flags.save}`);
    }
    if (flags.output !== undefined) {
      const rows = await specs.writeTo(flags.output, { overwrite: flags.overwrite ?? false });
      note(`${plural(rows, "spec")} in ${flags.output}`);
    }
    if (flags.json) return print(`${jsonText(specs.description, 2)}\n`);
    if (flags.output !== undefined || flags.save !== undefined) return;
    for (const piece of specs.csv()) await printData(piece);
  });
}

async function writeNew(path: string, text: string, overwrite = false): Promise<void> {
  if (!overwrite && existsSync(path)) {
    throw new ScytheError("conflict", `${path} exists already`, {
      hint: "Choose another name, or replace it with --overwrite.",
    });
  }
  await writeFile(path, text, { flag: overwrite ? "w" : "wx" });
}
