import type { Command } from "commander";
import { withStorage } from "../open-project.ts";
import { type ProjectFlags, projectOptions, RUN_NAME } from "../options.ts";
import { note, print } from "../output.ts";
import { shellWord } from "../shell-word.ts";
import { jsonText } from "../view/json-text.ts";
import { placeOf } from "../view/run-summary.ts";
import { styleFor } from "../view/style.ts";
import { noteLeftOut, transferSummary, whileTransferring } from "../view/transfer-view.ts";

const EXAMPLES = `
Examples:
  scythe copy projectile s3://my-bucket/scythe
  scythe copy projectile@v1.0.0 ../archive`;

export function register(command: Command): void {
  command
    .description(
      "Copies a complete run to another storage, where its tables refer to the copied files. When it is stopped, run it again to continue.",
    )
    .argument("<run>", RUN_NAME)
    .argument("<target>", "the storage to copy to: a folder, or s3://bucket/prefix")
    .addHelpText("after", EXAMPLES);
  projectOptions(command).action(async (run: string, target: string, flags: ProjectFlags) => {
    process.exitCode = await copyTo(run, target, flags);
  });
}

/** Copies a run to another storage. Returns the exit code. */
export async function copyTo(reference: string, where: string, flags: ProjectFlags): Promise<number> {
  return withStorage(flags, (project) =>
    whileTransferring(
      flags,
      (options) => project.transfer.copy(reference, where, options),
      async (done) => {
        const { experimentId, uri, files, bytes, skipped, leftOut } = done;
        const outcome = { experiment_id: experimentId, uri, files, bytes, skipped, left_out: leftOut };
        await print(`${flags.json ? jsonText(outcome, 2) : placeOf(uri)}\n`);
        noteLeftOut(leftOut);
        const next = `scythe results ${experimentId} --storage ${shellWord(where)}`;
        note(transferSummary(done, placeOf(uri), next, styleFor(process.stderr)));
      },
    ),
  );
}
