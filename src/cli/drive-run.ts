import { isScytheError } from "../errors.ts";
import type { Scythe } from "../project.ts";
import type { Run } from "../study/run.ts";
import { EXIT } from "./exit.ts";
import { untilInterrupted } from "./interrupt.ts";
import { jsonText } from "./json-text.ts";
import { note, print } from "./output.ts";
import { progressView } from "./progress-view.ts";
import { outcomeOf } from "./run-outcome.ts";
import { runSummary } from "./run-summary.ts";
import { styleFor } from "./style.ts";

/**
 * Shows a run that this process drives until it has ended, then sums it up. Returns the exit code.
 * @throws what failed the run as a whole
 */
export async function driveRun(project: Scythe, run: Run, json = false): Promise<number> {
  const view = await progressView();
  const watch = untilInterrupted(() => {
    view.say("stopping after the specs in hand; press Ctrl-C again to quit at once");
    void run.cancel();
  });
  try {
    await view.follow(run);
    await run.result();
  } catch (error) {
    if (!isScytheError(error) || error.code !== "cancelled") throw error;
  } finally {
    watch.stop();
  }
  const outcome = await outcomeOf(project.storage, run);
  if (json) await print(`${jsonText(outcome, 2)}\n`);
  note(runSummary(outcome, { style: styleFor(process.stderr), width: process.stderr.columns || 100 }));
  if (outcome.status === "complete") return outcome.failed > 0 ? EXIT.failedSpecs : EXIT.ok;
  return watch.interrupted ? EXIT.interrupted : EXIT.cancelled;
}
