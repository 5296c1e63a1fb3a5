import { RunLayout } from "../run/layout.ts";
import { localStorage } from "../storage/local/local.ts";
import type { Storage } from "../storage/storage.ts";
import { downloadRun } from "../transfer/download.ts";
import type { DownloadFlags } from "./download.ts";
import { jsonText } from "./json-text.ts";
import { withStorage } from "./open-project.ts";
import { note, print } from "./output.ts";
import { shellWord } from "./shell-word.ts";
import { styleFor } from "./style.ts";
import { noteLeftOut, transferSummary, whileTransferring } from "./transfer-view.ts";

/** Brings a run to a folder. Returns the exit code. */
export async function download(reference: string, flags: DownloadFlags): Promise<number> {
  return withStorage(flags, async (project) => {
    const { experimentId } = await project.findRun(reference);
    const layout = RunLayout.parse(experimentId)!;
    const target = localStorage(flags.to) as Storage & Required<Pick<Storage, "localPath">>;
    const chosen = {
      ...(flags.what === undefined ? {} : { what: flags.what }),
      ...(flags.field === undefined ? {} : { field: flags.field }),
    };
    return whileTransferring(
      flags,
      (options) => downloadRun(project.storage, layout, target, { ...options, ...chosen }),
      async (done) => {
        const { folder, files, bytes, skipped, leftOut } = done;
        if (flags.json)
          await print(
            `${jsonText({ experiment_id: experimentId, folder, files, bytes, skipped, left_out: leftOut }, 2)}\n`,
          );
        else await print(`${folder}\n`);
        noteLeftOut(leftOut);
        const next = `scythe results ${experimentId} --storage ${shellWord(flags.to)}`;
        note(transferSummary(done, folder, next, styleFor(process.stderr)));
      },
    );
  });
}
