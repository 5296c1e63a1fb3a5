import { afterEach, describe, expect, it } from "vitest";
import { type Bench, openBench, until } from "./hatchet-bench.ts";

let bench: Bench;
afterEach(() => bench.close());

const echo = () => bench.task("echo", ({ n = 0 }) => ({ n }));
const many = (count: number) => Array.from({ length: count }, (_, n) => ({ n }));

describe("the Hatchet stand-in, misbehaving on command", () => {
  it("drops a reply: the SDK asks again, and there are two runs", async () => {
    bench = await openBench();
    const task = echo();
    await bench.work([task], 1);
    bench.server.misbehave.dropNextReply("TriggerWorkflow");
    expect(await task.run({ n: 1 })).toEqual({ n: 1 });
    expect(bench.runsOf("echo")).toHaveLength(2);
  });

  it("drops the reply to a report: it comes twice, and both are told of", async () => {
    bench = await openBench();
    const gate = bench.gate();
    const task = bench.task("gated", () => gate.open);
    await bench.work([task], 1);
    const run = await task.runNoWait({});
    await until(() => bench.server.calls.SendStepActionEvent === 1); // that it has begun
    bench.server.misbehave.dropNextReply("SendStepActionEvent");
    gate.release({ done: true });
    await until(() => bench.server.counters.lateReports === 1);
    expect(await run.output).toEqual({ done: true });
    expect(bench.runsOf("gated")[0]!.outcomes).toHaveLength(2);
  });

  it("refuses a call: the SDK asks again, and there is one run", async () => {
    bench = await openBench();
    const task = echo();
    await bench.work([task], 1);
    bench.server.misbehave.refuseNext("TriggerWorkflow");
    expect(await task.run({ n: 1 })).toEqual({ n: 1 });
    expect(bench.runsOf("echo")).toHaveLength(1);
    expect(bench.server.calls.TriggerWorkflow).toBe(2);
  });

  it("gives a task twice", async () => {
    bench = await openBench();
    let times = 0;
    const task = bench.task("counts", () => ({ times: ++times }));
    await bench.work([task], 1);
    bench.server.misbehave.set({ doubleActions: 1 });
    await task.run({});
    await until(() => times === 2);
    expect(bench.runsOf("counts")).toHaveLength(1);
    expect(bench.server.counters).toMatchObject({ actions: 1, doubleActions: 1 });
  });

  it("loses a task on its way: only the time limit finds out", async () => {
    bench = await openBench();
    const task = bench.task("echo", ({ n = 0 }) => ({ n }), { executionTimeout: "1s", retries: 1 });
    await bench.work([task], 1);
    bench.server.misbehave.loseStarts(1);
    const run = await task.runNoWait({ n: 3 });
    expect(await run.output).toEqual({ n: 3 });
    expect(bench.runsOf("echo")[0]!.attempts.map(({ ended }) => ended)).toEqual(["timed out", "completed"]);
  });

  it("delays, reorders and doubles what it sends; each run ends once all the same", async () => {
    bench = await openBench();
    const order: number[] = [];
    const task = bench.task("echo", ({ n = 0 }) => {
      order.push(n);
      return { n };
    });
    await bench.work([task], 40);
    bench.server.misbehave.set({ delayReplies: 0.2, delayActions: 0.2, reorderActions: 0.3 });
    bench.server.misbehave.set({ delayNotices: 0.2, reorderNotices: 0.3, doubleNotices: 0.3 });
    bench.server.misbehave.delayMs = [1, 50];
    expect(await task.run(many(40))).toEqual(many(40));
    expect(order.toSorted((a, b) => a - b)).toEqual(many(40).map(({ n }) => n));
    expect(order).not.toEqual(many(40).map(({ n }) => n));
    for (const fault of ["delayActions", "reorderActions", "delayNotices", "reorderNotices", "doubleNotices"]) {
      expect(bench.server.counters[fault], fault).toBeGreaterThan(0);
    }
  });

  it("never tells of an end: it must be asked", async () => {
    bench = await openBench();
    const task = echo();
    await bench.work([task], 1);
    bench.server.misbehave.set({ loseNotices: 1 });
    const run = await task.runNoWait({ n: 1 });
    let told = false;
    void run.output.finally(() => {
      told = true;
    });
    await until(() => bench.server.counters.loseNotices === 1);
    expect(await bench.client.runs.getDetails(run)).toMatchObject({ done: true, status: "COMPLETED" });
    expect(told).toBe(false);
  });

  it("breaks the stream that tells of ends: the SDK opens it anew", async () => {
    bench = await openBench();
    const gate = bench.gate();
    const task = bench.task("gated", () => gate.open);
    await bench.work([task], 1);
    const run = await task.runNoWait({});
    const output = run.output;
    await until(() => bench.server.calls.SubscribeToWorkflowRuns === 1);
    expect(bench.server.misbehave.resetStreams("runs")).toBe(1);
    gate.release({ done: true });
    expect(await output).toEqual({ done: true });
    expect(bench.server.calls.SubscribeToWorkflowRuns).toBe(2);
  });

  it("breaks the stream of a worker: the SDK opens it anew, and what it had goes on", async () => {
    bench = await openBench();
    const gate = bench.gate();
    let begun = 0;
    const task = bench.task("gated", () => {
      begun++;
      return gate.open;
    });
    await bench.work([task], 2);
    const inHand = await task.runNoWait({});
    await until(() => begun === 1);
    expect(bench.server.misbehave.resetStreams("workers")).toBe(1);
    await until(() => bench.worker(0).stream === undefined);
    const next = await task.runNoWait({});
    gate.release({ done: true });
    expect(await Promise.all([inHand.output, next.output])).toEqual([{ done: true }, { done: true }]);
    expect(bench.server.calls).toMatchObject({ Register: 1, ListenV2: 2 });
    expect(begun).toBe(2);
  });

  it("gives a running task to another, and does not take the first one's word", async () => {
    bench = await openBench();
    const gates = [bench.gate(), bench.gate()];
    const seen: number[] = [];
    const task = bench.task("gated", (_, ctx) => gates[seen.push(ctx.retryCount()) - 1]!.open);
    await bench.work([task], 1);
    const run = await task.runNoWait({});
    await until(() => seen.length === 1);
    expect(bench.server.misbehave.reassignRunning()).toEqual([await run.runId]);
    await until(() => seen.length === 2);
    gates[0]!.release({ by: "the first" });
    await until(() => bench.server.counters.staleReports === 1);
    gates[1]!.release({ by: "the second" });
    expect(await run.output).toEqual({ by: "the second" });
    expect(seen).toEqual([0, 1]); // the count of tries includes those that the server lost
  });

  it("lets a time limit pass: the try is cancelled, and the next begins", async () => {
    bench = await openBench();
    const aborted: number[] = [];
    const task = bench.task(
      "slow",
      (_, ctx) => (ctx.retryCount() > 0 ? {} : bench.untilAborted(ctx, () => aborted.push(ctx.retryCount()))),
      { retries: 1 },
    );
    await bench.work([task], 1);
    const run = await task.runNoWait({});
    await until(() => bench.server.calls.SendStepActionEvent === 1);
    expect(bench.server.misbehave.expireRunning()).toEqual([await run.runId]);
    expect(await run.output).toEqual({});
    expect(aborted).toEqual([0]);
  });

  it("hits the same messages with the same seed", async () => {
    const hits = async (seed: number) => {
      bench = await openBench({ seed });
      const task = echo();
      await bench.register(task);
      bench.server.misbehave.set({ refuseCalls: 0.3 });
      const drawn = Array.from({ length: 50 }, () => bench.server.misbehave.draws("refuseCalls"));
      await bench.close();
      return drawn;
    };
    expect(await hits(7)).toEqual(await hits(7));
    expect(await hits(7)).not.toEqual(await hits(8));
  });
});
