import type { DownloadFlags } from "./download.ts";
import { jsonText } from "./json-text.ts";
import { withStorage } from "./open-project.ts";
import { note, print } from "./output.ts";
import { shellWord } from "./shell-word.ts";
import { styleFor } from "./style.ts";
import { noteLeftOut, transferSummary, whileTransferring } from "./transfer-view.ts";

/** Brings a run to a folder. Returns the exit code. */
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
