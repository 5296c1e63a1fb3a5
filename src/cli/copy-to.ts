import { openStorage } from "../open-storage.ts";
import { RunLayout } from "../run/layout.ts";
import { copyRun } from "../transfer/copy-run.ts";
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
  return withStorage(flags, async (project) => {
    const { experimentId } = await project.findRun(reference);
    const layout = RunLayout.parse(experimentId)!;
    const target = openStorage(where);
    return whileTransferring(
      flags,
      (options) => copyRun(project.storage, layout, target, options),
      async (done) => {
        const { files, bytes, skipped, leftOut } = done;
        const uri = target.uriOf(experimentId);
        if (flags.json)
          await print(
            `${jsonText({ experiment_id: experimentId, uri, files, bytes, skipped, left_out: leftOut }, 2)}\n`,
          );
        else await print(`${placeOf(uri)}\n`);
        noteLeftOut(leftOut);
        const next = `scythe results ${experimentId} --storage ${shellWord(where)}`;
        note(transferSummary(done, placeOf(uri), next, styleFor(process.stderr)));
      },
    );
  });
}
