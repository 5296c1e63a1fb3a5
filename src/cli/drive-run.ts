import { messageOf } from "../errors.ts";
import type { Scythe } from "../project.ts";
import type { Run } from "../runs/run.ts";
import { EXIT } from "./exit.ts";
import { untilInterrupted } from "./interrupt.ts";
import { note } from "./output.ts";
import { progressView } from "./progress-view.ts";
import { sumUp } from "./sum-up.ts";

/**
 * Shows a run that this process drives until it has ended, then sums it up. Returns the exit code.
 * @throws what failed the run as a whole
 */
export async function driveRun(project: Scythe, run: Run, json = false): Promise<number> {
  const view = await progressView();
  const watch = untilInterrupted(
    () => {
      view.say("stopping after the specs in hand; press Ctrl-C again to quit at once");
      run.cancel().catch((error) => view.say(messageOf(error)));
    },
    () => note(`Finished work is kept. To continue: scythe resume ${run.experimentId}`),
  );
  try {
    await view.follow(run);
    const code = await sumUp(project.storage, run, { json });
    return code === EXIT.cancelled && watch.interrupted ? EXIT.interrupted : code;
  } finally {
    watch.stop();
  }
}
