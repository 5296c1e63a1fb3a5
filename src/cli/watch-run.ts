import type { Progress } from "../runs/progress.ts";
import type { Run } from "../runs/run.ts";
import { errorText } from "./error-text.ts";
import { EXIT, exitCodeOf } from "./exit.ts";
import { jsonText } from "./json-text.ts";
import { withStorage } from "./open-project.ts";
import type { ProjectFlags } from "./options.ts";
import { note, print } from "./output.ts";
import { progressView } from "./progress-view.ts";
import { styleFor } from "./style.ts";
import { sumUp } from "./sum-up.ts";

const LOOK_MS = 1_000;

/** Follows a run to its end, whoever drives it. Returns the exit code, as `scythe run` would. */
export async function watchRun(reference: string, flags: ProjectFlags): Promise<number> {
  return withStorage(flags, async (project) => {
    const run = await project.findRun(reference);
    process.once("SIGINT", () => process.exit(EXIT.interrupted)); // the run is not ours to stop
    if (!flags.json) {
      await (await progressView()).follow(run);
      return sumUp(project.storage, run);
    }
    await printProgress(run);
    return sumUp(project.storage, run, { quiet: true }).catch((error: unknown) => {
      note(errorText(error, styleFor(process.stderr), false)); // stdout is lines of progress, the last of which says it, too
      return exitCodeOf(error);
    });
  });
}

async function printProgress(run: Run): Promise<void> {
  for await (const progress of run.progress({ intervalMs: LOOK_MS })) await print(`${line(run, progress)}\n`);
}

function line({ experimentId }: Run, { failures, eta, ...counts }: Progress): string {
  const newest = failures.map(({ sortIndex, ...rest }) => ({ sort_index: sortIndex, ...rest }));
  return jsonText({ experiment_id: experimentId, ...counts, eta: eta ?? null, failures: newest });
}
