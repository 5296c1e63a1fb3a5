import { type Command, InvalidArgumentError, Option } from "commander";
import { filled, type ProjectFlags, projectOptions, RUN_NAME } from "./options.ts";

export interface DiffFlags extends ProjectFlags {
  by: "inputs" | "sort_index";
  tolerance?: number;
  storageB?: string;
}

const EXAMPLES = `
Examples:
  scythe diff projectile@v1.0.0 projectile@v2.0.0
  scythe diff projectile@v1.0.0 projectile --tolerance 1e-9
  scythe diff projectile projectile --storage-b s3://my-bucket/scythe`;

export function registerDiff(program: Command): void {
  const command = program
    .command("diff")
    .summary("compare two runs: schemas, code, inputs, outputs of matched specs")
    .description(
      "Compares two complete runs. Specs are matched by what they ask. Exit code 0 when fields, specs and outcomes are equal, 3 when not; code, environment and seed may differ.",
    )
    .argument("<run>", RUN_NAME)
    .argument("<other>", "the run to compare with, named likewise")
    .addOption(
      new Option("--by <what>", "what makes two specs the same one")
        .choices(["inputs", "sort_index"])
        .default("inputs"),
    )
    .addOption(
      new Option("--tolerance <t>", "numbers this near are equal: |a - b| <= t * max(1, |a|, |b|)").argParser(
        tolerance,
      ),
    )
    .option("--storage-b <where>", "where the other run lies, if elsewhere: a folder or URI", filled)
    .addHelpText("after", EXAMPLES);
  projectOptions(command).action(async (run: string, other: string, flags: DiffFlags) => {
    const { diff } = await import("./show-diff.ts");
    process.exitCode = await diff(run, other, flags);
  });
}

function tolerance(text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && value >= 0 && value < 1) return value;
  throw new InvalidArgumentError("It must be a number from 0 to below 1, such as 1e-9.");
}
