import { expect, it, vi } from "vitest";
import { cancelReason } from "../../run/control.ts";
import { ControlWatch } from "../../run/control-watch.ts";
import { RunLayout } from "../../run/layout.ts";
import { newState, stateText } from "../../run/state.ts";
import type { LeafTask, RunInfo } from "../../scatter/run-task.ts";
import { memoryStorage } from "../../storage/memory.ts";
import { FailureWatch } from "./failure-watch.ts";

const layout = new RunLayout({ name: "study", version: "v1.0.0", timestamp: "2026-01-02_03-04-05" });

it("counts a chunk once: one that is begun anew, and one that has its part", async () => {
  const storage = memoryStorage();
  await storage.put(layout.state, stateText({ ...newState(), status: "running", epoch: 1, max_failures: "5" }));
  const run = { layout, details: { spec_count: 100 } } as RunInfo;
  const task = (from: number) =>
    ({
      experiment_id: layout.experimentId,
      path: [],
      epoch: 1,
      generation: 0,
      from,
      to: from + 10,
    }) as unknown as LeafTask;
  const limits = new FailureWatch(storage, new ControlWatch(storage));
  const looked = vi.spyOn(storage, "list");
  limits.of(run, task(0))(3);
  await vi.waitFor(() => expect(looked).toHaveBeenCalledTimes(1)); // it has counted the parts, of which there are none
  limits.of(run, task(0))(3); // its worker had died
  limits.of(run, task(10))(2); // five in all: as many as may be
  await storage.put(layout.part([], { generation: 0, from: 10, to: 20, ok: 8, failed: 2 }), "");
  const last = limits.of(run, task(20));
  last(4);
  await vi.waitFor(async () => {
    last(0); // what comes while it looks is seen at the next look
    expect((await cancelReason(storage, layout, 1)) ?? "").toMatch(/^9 specs failed/);
  });
});
