import type { Command } from "commander";
import { withStorage } from "../open-project.ts";
import { type ProjectFlags, projectOptions, RUN_NAME } from "../options.ts";
import { note, print } from "../output.ts";
import { jsonText } from "../view/json-text.ts";

export interface CancelFlags extends ProjectFlags {
  now?: boolean;
}

const EXAMPLES = `
Examples:
  scythe cancel projectile
  scythe cancel projectile@v2.0.0 --now`;

export function register(command: Command): void {
  command
    .description(
      "Stops a run: running specs finish. Returns when the process that drives it has stopped. Finished work is kept.",
    )
    .argument("<run>", RUN_NAME)
    .option("--now", "kill running specs instead of waiting for them")
    .addHelpText("after", EXAMPLES);
  projectOptions(command).action(async (run: string, flags: CancelFlags) => {
    await cancelRun(run, flags);
  });
}

/** Stops a run that any process drives, and waits until it has. */
export async function cancelRun(reference: string, flags: CancelFlags): Promise<void> {
  await withStorage(flags, async (project) => {
    const run = await project.findRun(reference);
    const { status } = await run.overview();
    if (!flags.now && (status === "running" || status === "paused"))
      note("waiting for the running specs; --now kills them");
    const obeyed = await run.cancel({ now: flags.now ?? false });
    const overview = await run.overview();
    if (flags.json) return print(`${jsonText({ ...overview, driven: obeyed === "driver" }, 2)}\n`);
    await print(`${run.experimentId}\n`);
    if (obeyed === "nobody") note("No process drove it any more.");
    if (overview.status === "complete") return note("It finished before it could be stopped.");
    const done = (overview.succeeded ?? 0) + (overview.failed ?? 0);
    note(
      `${overview.status}: ${done} of ${overview.allocated} specs are done. To continue: scythe resume ${run.experimentId}`,
    );
  });
}
