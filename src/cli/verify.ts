import { type Command, Option } from "commander";
import { type ProjectFlags, projectOptions, RUN_NAME, wholeNumber } from "./options.ts";

export interface VerifyFlags extends ProjectFlags {
  sample?: number;
  sampleSeed?: number;
  engine?: string;
  slots?: number;
  to?: string;
}

const EXAMPLES = `
Examples:
  scythe verify projectile
  scythe verify projectile --sample 20 --to certificate.json
  scythe verify projectile --storage s3://my-bucket/scythe`;

export function registerVerify(program: Command): void {
  const command = program
    .command("verify")
    .summary("check that a run is whole, and that its specs give the same again")
    .description(
      "Checks a run's counts, columns and files against what it recorded, and with --sample runs some specs again. Prints a certificate; exit code 3 when something is wrong.",
    )
    .argument("<run>", RUN_NAME)
    .addOption(new Option("--sample <k>", "run k specs again, drawn at random").argParser(wholeNumber(0)))
    .addOption(
      new Option("--sample-seed <n>", "draws the sample; drawn itself when left out").argParser(wholeNumber(0)),
    )
    .option("--engine <name>", "what runs the sample: local (child processes) or inline (this process)")
    .addOption(new Option("--slots <n>", "specs of the sample that run at the same time").argParser(wholeNumber(1)))
    .option("--to <file>", "write the certificate there, too, as JSON")
    .addHelpText("after", EXAMPLES);
  projectOptions(command).action(async (run: string, flags: VerifyFlags) => {
    const { verify } = await import("./verify-run.ts");
    process.exitCode = await verify(run, flags);
  });
}
