import { jsonText } from "./json-text.ts";
import { withStorage } from "./open-project.ts";
import type { ProjectFlags } from "./options.ts";
import { note, print } from "./output.ts";
import { placeOf } from "./run-summary.ts";
import { shellWord } from "./shell-word.ts";
import { styleFor } from "./style.ts";
import { noteLeftOut, transferSummary, whileTransferring } from "./transfer-view.ts";

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
