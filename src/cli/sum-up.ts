import { isScytheError } from "../errors.ts";
import type { Run } from "../runs/run.ts";
import type { Storage } from "../storage/storage.ts";
import { EXIT } from "./exit.ts";
import { jsonText } from "./json-text.ts";
import { note, print } from "./output.ts";
import { outcomeOf } from "./run-outcome.ts";
import { runSummary } from "./run-summary.ts";
import { styleFor } from "./style.ts";

/**
 * Waits for a run's end and sums it up. Returns the exit code.
 * @throws what failed the run as a whole
 */
export async function sumUp(
  storage: Storage,
  run: Run,
  how: { json?: boolean; quiet?: boolean } = {},
): Promise<number> {
  try {
    await run.result();
  } catch (error) {
    if (!isScytheError(error) || error.code !== "cancelled") throw error;
  }
  const outcome = await outcomeOf(storage, run);
  if (how.json) await print(`${jsonText(outcome, 2)}\n`);
  if (!how.quiet) note(runSummary(outcome, { style: styleFor(process.stderr), width: process.stderr.columns || 100 }));
  if (outcome.status !== "complete") return EXIT.cancelled;
  return outcome.failed > 0 ? EXIT.failedSpecs : EXIT.ok;
}
