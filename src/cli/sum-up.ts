import { isScytheError } from "../errors.ts";
import type { Run } from "../index.ts";
import { EXIT } from "./exit.ts";
import { note, print } from "./output.ts";
import { jsonText } from "./view/json-text.ts";
import { runSummary } from "./view/run-summary.ts";
import { styleFor } from "./view/style.ts";

/**
 * Waits for a run's end and sums it up. Returns the exit code.
 * @throws what failed the run as a whole
 */
export async function sumUp(run: Run, how: { json?: boolean; quiet?: boolean } = {}): Promise<number> {
  try {
    await run.result();
  } catch (error) {
    if (!isScytheError(error) || error.code !== "cancelled") throw error;
  }
  const outcome = await run.outcome();
  if (how.json) await print(`${jsonText(outcome, 2)}\n`);
  if (!how.quiet) note(runSummary(outcome, { style: styleFor(process.stderr), width: process.stderr.columns || 100 }));
  if (outcome.status !== "complete") return EXIT.cancelled;
  return outcome.failed > 0 ? EXIT.failedSpecs : EXIT.ok;
}
