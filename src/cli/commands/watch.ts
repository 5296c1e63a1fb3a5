import type { Command } from "commander";
import type { Progress, Run } from "../../index.ts";
import { EXIT, exitCodeOf } from "../exit.ts";
import { withStorage } from "../open-project.ts";
import { type ProjectFlags, projectOptions, RUN_NAME } from "../options.ts";
import { note, print } from "../output.ts";
import { sumUp } from "../sum-up.ts";
import { errorText } from "../view/error-text.ts";
import { jsonText } from "../view/json-text.ts";
import { progressView } from "../view/progress-view.ts";
import { styleFor } from "../view/style.ts";

const EXAMPLES = `
Examples:
  scythe watch projectile
  scythe watch projectile --json | jq .succeeded`;

export function register(command: Command): void {
  command
    .description(
      "Shows the run's progress until it has ended; the exit code is that of `scythe run`. Ctrl-C ends the watching, not " +
        "the run. With --json, a line of JSON for each update.",
    )
    .argument("<run>", RUN_NAME)
    .addHelpText("after", EXAMPLES);
  projectOptions(command).action(async (run: string, flags: ProjectFlags) => {
    process.exitCode = await watchRun(run, flags);
  });
}

const LOOK_MS = 1_000;

/** Follows a run to its end, whichever process drives it. Returns the exit code that `scythe run` would. */
export async function watchRun(reference: string, flags: ProjectFlags): Promise<number> {
  return withStorage(flags, async (project) => {
    const run = await project.findRun(reference);
    process.once("SIGINT", () => process.exit(EXIT.interrupted)); // another process drives the run
    if (!flags.json) {
      await (await progressView()).follow(run);
      return sumUp(run);
    }
    await printProgress(run);
    return sumUp(run, { quiet: true }).catch((error: unknown) => {
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
