import { type Command, InvalidArgumentError, Option } from "commander";
import { isSegment } from "../storage/key.ts";
import { RUN_PARTS, type RunPart } from "../transfer/run-files.ts";
import { type ProjectFlags, projectOptions, RUN_NAME } from "./options.ts";

export interface DownloadFlags extends ProjectFlags {
  to: string;
  what?: RunPart[];
  field?: string;
}

const EXAMPLES = `
Examples:
  scythe download projectile
  scythe download projectile --what final --to tables
  scythe download building_energy --what results --field timeseries`;

export function registerDownload(program: Command): void {
  const command = program
    .command("download")
    .summary("bring a run's tables and files to a folder")
    .description(
      "Brings a run to a folder, from which every reading command works. Run again, it goes on where it was stopped.",
    )
    .argument("<run>", RUN_NAME)
    .option("--to <folder>", "where to bring it", "scythe-downloads")
    .addOption(
      new Option(
        "--what <parts>",
        `${RUN_PARTS.join(", ")}: one or several, split by commas (default: all but artifacts)`,
      ).argParser(partsOf),
    )
    .addOption(
      new Option("--field <name>", "files of this input or output field alone, and the tables").argParser(fieldName),
    )
    .addHelpText("after", EXAMPLES);
  projectOptions(command).action(async (run: string, flags: DownloadFlags) => {
    const { download } = await import("./download-to.ts");
    process.exitCode = await download(run, flags);
  });
}

function partsOf(text: string): RunPart[] {
  const parts = text.split(",").map((part) => part.trim());
  const unknown = parts.find((part) => !(RUN_PARTS as readonly string[]).includes(part));
  if (unknown === undefined) return parts as RunPart[];
  throw new InvalidArgumentError(`${JSON.stringify(unknown)} is none of ${RUN_PARTS.join(", ")}.`);
}

function fieldName(text: string): string {
  if (isSegment(text)) return text;
  throw new InvalidArgumentError("It must be the name of a field.");
}
