import type { CancelFlags } from "./cancel.ts";
import { jsonText } from "./json-text.ts";
import { withStorage } from "./open-project.ts";
import type { ProjectFlags } from "./options.ts";
import { note, print } from "./output.ts";
import { readRunFiles } from "./run-overview.ts";

/** Stops a run that any process drives, and waits until it has. */
export async function cancelRun(reference: string, flags: CancelFlags): Promise<void> {
  await withStorage(flags, async (project) => {
    const run = await project.findRun(reference);
    if (!flags.now) note("waiting for the specs in hand; --now kills them");
    const obeyed = await run.cancel({ now: flags.now ?? false });
    const layout = run.layout;
    const { overview } = await readRunFiles(project.storage, layout);
    if (flags.json) return print(`${jsonText({ ...overview, driven: obeyed === "driver" }, 2)}\n`);
    await print(`${run.experimentId}\n`);
    if (obeyed === "nobody") note("Nobody drove it any more.");
    if (overview.status === "complete") return note("It finished before it could be stopped.");
    const done = (overview.succeeded ?? 0) + (overview.failed ?? 0);
    note(
      `${overview.status}: ${done} of ${overview.allocated} specs are done. To go on: scythe resume ${run.experimentId}`,
    );
  });
}

export async function pauseRun(reference: string, flags: ProjectFlags): Promise<void> {
  await withStorage(flags, async (project) => {
    const run = await project.findRun(reference);
    await run.pause();
    if (flags.json) return print(`${jsonText({ experiment_id: run.experimentId, status: "paused" }, 2)}\n`);
    await print(`${run.experimentId}\n`);
    note(`It begins no more specs; those in hand are finished. To go on: scythe resume ${run.experimentId}`);
  });
}
