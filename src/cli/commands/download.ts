import { type Command, InvalidArgumentError, Option } from "commander";
import { RUN_PARTS, type RunPart } from "../../index.ts";
import { withStorage } from "../open-project.ts";
import { type ProjectFlags, projectOptions, RUN_NAME } from "../options.ts";
import { note, print } from "../output.ts";
import { shellWord } from "../shell-word.ts";
import { jsonText } from "../view/json-text.ts";
import { styleFor } from "../view/style.ts";
import { noteLeftOut, transferSummary, whileTransferring } from "../view/transfer-view.ts";

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

export function register(command: Command): void {
  command
    .description(
      "Downloads a run to a folder, which commands then read by --storage. When it is stopped, run it again to continue.",
    )
    .argument("<run>", RUN_NAME)
    .option("--to <folder>", "where to put it", "scythe-downloads")
    .addOption(
      new Option(
        "--what <parts>",
        `${RUN_PARTS.join(", ")}: one or several, separated by commas (default: all but artifacts)`,
      ).argParser(partsOf),
    )
    .addOption(
      new Option("--field <name>", "only files of this input or output field, and the tables").argParser(fieldName),
    )
    .addHelpText("after", EXAMPLES);
  projectOptions(command).action(async (run: string, flags: DownloadFlags) => {
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
  if (/^[^/\\:]+$/.test(text) && !/^\.+$/.test(text)) return text;
  throw new InvalidArgumentError("It must be the name of a field.");
}

/** Downloads a run to a folder. Returns the exit code. */
export async function download(reference: string, flags: DownloadFlags): Promise<number> {
  const chosen = {
    ...(flags.what === undefined ? {} : { what: flags.what }),
    ...(flags.field === undefined ? {} : { field: flags.field }),
  };
  return withStorage(flags, (project) =>
    whileTransferring(
      flags,
      (options) => project.transfer.download(reference, flags.to, { ...options, ...chosen }),
      async (done) => {
        const { experimentId, folder, files, bytes, skipped, leftOut } = done;
        const outcome = { experiment_id: experimentId, folder, files, bytes, skipped, left_out: leftOut };
        await print(`${flags.json ? jsonText(outcome, 2) : folder}\n`);
        noteLeftOut(leftOut);
        const next = `scythe results ${experimentId} --storage ${shellWord(flags.to)}`;
        note(transferSummary(done, folder, next, styleFor(process.stderr)));
      },
    ),
  );
}
