import { ScytheError } from "../errors.ts";
import { cancelReason, request } from "../run/control.ts";
import type { ControlWatch } from "../run/control-watch.ts";
import { allowedFailures, tooManyFailures } from "../run/failure-limit.ts";
import type { RunLayout } from "../run/layout.ts";
import { countedParts } from "../run/part-counts.ts";
import { isDriven, readState, updateState } from "../run/state.ts";
import type { NodeTask, RunInfo } from "../scatter/run-task.ts";
import type { Storage } from "../storage/storage.ts";

/** The error for a run that was stopped before its end. */
export function cancelledError({ experimentId }: RunLayout, reason: string | null): ScytheError {
  if (!reason) {
    return new ScytheError("cancelled", `Run ${experimentId} was cancelled`, {
      hint: `Finished work is kept; \`scythe resume ${experimentId}\` continues the run.`,
    });
  }
  return new ScytheError("cancelled", `Run ${experimentId} was stopped: ${reason}`, {
    hint: `Finished work is kept; \`scythe resume ${experimentId} --max-failures 100%\` continues the run without a limit.`,
    details: { reason },
  });
}

/** Records in `state.yml` that the driver of this epoch has stopped as requested. Returns the error to report. */
export async function endCancelled(storage: Storage, layout: RunLayout, epoch: number): Promise<ScytheError> {
  const reason = await cancelReason(storage, layout, epoch);
  await updateState(storage, layout, (state) =>
    state.epoch === epoch && isDriven(state.status) ? { status: "cancelled", reason } : undefined,
  );
  return cancelledError(layout, reason);
}

/** Requests cancellation when the parts contain more failed specs than allowed. */
export async function stopIfTooManyFailed(
  { storage, controls }: { storage: Storage; controls: ControlWatch },
  { layout, details }: RunInfo,
  { epoch, generation }: NodeTask,
): Promise<void> {
  const limit = (await readState(storage, layout))?.max_failures;
  if (!limit) return;
  const parts = await countedParts(storage, layout, generation);
  const failed = parts.reduce((sum, part) => sum + part.failed, 0);
  if (failed <= allowedFailures(limit, details.spec_count)) return;
  await request(storage, layout, epoch, "cancel", tooManyFailures(limit, failed, details.spec_count));
  controls.set(layout, epoch, { cancel: "drain" });
}
