import { messageOf } from "../errors.ts";
import type { Run, Scythe } from "../index.ts";
import { EXIT } from "./exit.ts";
import { untilInterrupted } from "./interrupt.ts";
import { note } from "./output.ts";
import { sumUp } from "./sum-up.ts";
import { progressView } from "./view/progress-view.ts";

/** Ctrl-C ends the process while specs are read and stored. */
export async function untilAllocated(project: Scythe, allocate: () => Promise<Run>): Promise<Run> {
  const watch = untilInterrupted(() => {
    note("interrupted before the run had started");
    void project.close().finally(() => process.exit(EXIT.interrupted));
  });
  try {
    return await allocate();
  } finally {
    watch.stop();
  }
}

/**
 * Shows a run that this process drives until it has ended, then sums it up. Returns the exit code.
 * @throws what failed the run as a whole
 */
export async function driveRun(run: Run, json = false): Promise<number> {
  const view = await progressView();
  const watch = untilInterrupted(
    () => {
      view.say("stopping when the running specs have finished; press Ctrl-C again to quit at once");
      run.cancel().catch((error) => view.say(messageOf(error)));
    },
    () => note(`Finished work is kept. To continue: scythe resume ${run.experimentId}`),
  );
  try {
    await view.follow(run);
    const code = await sumUp(run, { json });
    return code === EXIT.cancelled && watch.interrupted ? EXIT.interrupted : code;
  } finally {
    watch.stop();
  }
}
