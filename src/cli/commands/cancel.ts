import type { Command } from "commander";
import { withStorage } from "../open-project.ts";
import { type ProjectFlags, projectOptions, RUN_NAME } from "../options.ts";
import { note, print } from "../output.ts";
import { jsonText } from "../view/json-text.ts";

export interface CancelFlags extends ProjectFlags {
  now?: boolean;
}

export function register(command: Command): void {
  command
    .description("Lets the specs in hand finish, stops the run, and returns when whoever drives it has stopped.")
    .argument("<run>", RUN_NAME)
    .option("--now", "kill the specs in hand instead of waiting for them");
  projectOptions(command).action(async (run: string, flags: CancelFlags) => {
    await cancelRun(run, flags);
  });
}

/** Stops a run that any process drives, and waits until it has. */
export async function cancelRun(reference: string, flags: CancelFlags): Promise<void> {
  await withStorage(flags, async (project) => {
    const run = await project.findRun(reference);
    if (!flags.now) note("waiting for the specs in hand; --now kills them");
    const obeyed = await run.cancel({ now: flags.now ?? false });
    const overview = await run.overview();
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
