import { afterEach, describe, expect, it } from "vitest";
import { type Bench, connectSdk, openBench, until } from "./hatchet-bench.ts";
import { startHatchetStandIn } from "./hatchet-stand-in.ts";

let bench: Bench;
afterEach(() => bench.close());

describe("the Hatchet stand-in, spoken to by the real SDK", () => {
  it("registers a task, runs it, and hands its output over", async () => {
    bench = await openBench();
    const double = bench.task("double", ({ n = 0 }) => ({ twice: n * 2 }));
    await bench.work([double], 2);
    expect(await double.run({ n: 21 })).toEqual({ twice: 42 });
    const [run] = [...bench.server.runs.values()];
    expect(run).toMatchObject({ status: "COMPLETED", attempts: [{ retryCount: 0, ended: "completed" }] });
    expect(await bench.client.runs.get_status(run!.id)).toBe("COMPLETED");
    expect(await bench.client.runs.getDetails(run!.id)).toMatchObject({ done: true, input: { n: 21 } });
    expect(bench.server.counters).toEqual({ runs: 1, actions: 1 });
  });

  it("refuses a stranger, an id that is none, and one that it does not know", async () => {
    bench = await openBench();
    const other = await startHatchetStandIn();
    const { HATCHET_CLIENT_TOKEN } = other.env;
    await other.close();
    const stranger = connectSdk({ ...bench.server.env, HATCHET_CLIENT_TOKEN: HATCHET_CLIENT_TOKEN! });
    await expect(stranger.runs.getDetails("x")).rejects.toThrow("UNAUTHENTICATED");
    await expect(stranger.workers.list()).rejects.toThrow("403");
    await expect(bench.client.runs.getDetails("no-such-run")).rejects.toThrow("INVALID_ARGUMENT");
    const nobody = await bench.client.runNoWait("nobody-registered-this", {}, {});
    await expect(bench.client.runs.getDetails(await nobody.runId)).rejects.toThrow("NOT_FOUND"); // as the real one
  });

  it("gives a parent the same child for the same key, also after a retry", async () => {
    bench = await openBench();
    const seen: string[][] = [];
    const leaf = bench.task("leaf", ({ n }) => ({ n }));
    const parent = bench.task(
      "parent",
      async (_, ctx) => {
        const children = await ctx.bulkRunNoWaitChildren(
          ["a", "b"].map((key, n) => ({ workflow: leaf, input: { n }, options: { key } })),
        );
        const again = await ctx.runNoWaitChild(leaf, { n: 9 }, { key: "a", additionalMetadata: { who: "again" } });
        seen.push(await Promise.all([...children, again].map(({ runId }) => runId)));
        if (ctx.retryCount() === 0) throw new Error("once more");
        return { outputs: await Promise.all(children.map(({ output }) => output)) };
      },
      { retries: 1 },
    );
    await bench.work([leaf], 2);
    await bench.work([parent], 1);
    expect(await parent.run({})).toEqual({ outputs: [{ n: 0 }, { n: 1 }] });
    expect(seen).toHaveLength(2);
    expect(seen[0]).toEqual(seen[1]);
    expect(seen[0]![2]).toBe(seen[0]![0]);
    expect(bench.runsOf("leaf").map(({ childKey }) => childKey)).toEqual(["a", "b"]);
    const [root] = bench.runsOf("parent");
    expect(bench.runsOf("leaf")[0]!.metadata).toMatchObject({ hatchet__parent_step_run_id: root!.id });
  });

  it("runs 500 children of one request, never more at once than there are slots", async () => {
    bench = await openBench();
    const leaf = bench.task("leaf", ({ n }) => ({ n }));
    const parent = bench.task("parent", async (_, ctx) => {
      const children = Array.from({ length: 500 }, (_, n) => ({
        workflow: leaf,
        input: { n },
        options: { key: `${n}` },
      }));
      return { outputs: (await ctx.bulkRunChildren(children)) as { n: number }[] };
    });
    await bench.work([leaf], 7);
    await bench.work([parent], 1);
    const { outputs } = (await parent.run({})) as { outputs: { n: number }[] };
    expect(outputs).toEqual(Array.from({ length: 500 }, (_, n) => ({ n })));
    expect(bench.server.calls.BulkTriggerWorkflow).toBe(1);
    expect(bench.worker(0).mostUsed).toEqual({ default: 7 });
    expect(bench.worker(0).used).toEqual({ default: 0 });
  });

  it("keeps pools of slots apart", async () => {
    bench = await openBench();
    const gate = bench.gate();
    const slow = bench.task("slow", () => gate.open, { slotRequests: { nodes: 1 } });
    const quick = bench.task("quick", () => ({}));
    await bench.work([slow, quick], { default: 1, nodes: 1 });
    const held = [await slow.runNoWait({}), await slow.runNoWait({})];
    await until(() => bench.runsOf("slow")[0]?.status === "RUNNING");
    expect(await quick.run({})).toEqual({});
    expect(bench.runsOf("slow").map(({ status }) => status)).toEqual(["RUNNING", "QUEUED"]);
    gate.release({ done: true });
    expect(await Promise.all(held.map(({ output }) => output))).toEqual([{ done: true }, { done: true }]);
  });

  it("gives a run only to a worker with the labels that it asks for", async () => {
    bench = await openBench();
    const where = bench.task("where", (_, ctx) => ({ color: (ctx.worker.labels() as Record<string, string>).color }));
    await bench.work([where], 5, { color: "red" });
    const blue = await where.runNoWait({}, { desiredWorkerLabels: { color: { value: "blue", required: true } } });
    expect(await where.run({})).toEqual({ color: "red" });
    expect(bench.runsOf("where")[0]!.status).toBe("QUEUED");
    await bench.work([where], 1, { color: "blue" });
    expect(await blue.output).toEqual({ color: "blue" });
    expect((await bench.client.workers.list()).rows!.map(({ labels }) => labels)).toEqual([
      [{ key: "color", value: "red" }],
      [{ key: "color", value: "blue" }],
    ]);
  });

  it("cancels what runs, what waits, and even what has ended; never the children", async () => {
    bench = await openBench();
    const aborted: string[] = [];
    const leaf = bench.task("leaf", (_, ctx) => bench.untilAborted(ctx, () => aborted.push("leaf")));
    const parent = bench.task("parent", async (_, ctx) => {
      await ctx.runNoWaitChild(leaf, {}, { key: "a" });
      return bench.untilAborted(ctx, () => aborted.push("parent"));
    });
    const quick = bench.task("quick", () => ({ done: true }));
    await bench.work([leaf, parent], 2);
    await bench.work([quick], 1);
    const running = await parent.runNoWait({});
    await until(() => bench.runsOf("leaf")[0]?.status === "RUNNING");
    const waiting = await parent.runNoWait({});
    const ids = await Promise.all([running.runId, waiting.runId]);
    await bench.client.runs.cancel({ ids });
    await until(() => aborted.length === 1);
    expect(bench.runsOf("parent").map(({ status }) => status)).toEqual(["CANCELLED", "CANCELLED"]);
    expect(bench.runsOf("parent")[1]!.attempts).toEqual([]);
    expect(bench.runsOf("leaf")[0]!.status).toBe("RUNNING");
    expect(aborted).toEqual(["parent"]);
    expect(await running.output).toEqual({}); // the SDK takes it for a success

    const ended = await quick.runNoWait({});
    expect(await ended.output).toEqual({ done: true });
    await bench.client.runs.cancel({ ids: [await ended.runId] });
    expect(await bench.client.runs.getDetails(ended)).toMatchObject({ status: "CANCELLED" });
    expect(await bench.client.runs.get_status(ended)).toBe("COMPLETED");
  });

  it("tries a task that throws again, and hands its last error over", async () => {
    bench = await openBench();
    const bad = bench.task("bad", (_, ctx) => Promise.reject(new Error(`boom ${ctx.retryCount()}`)), { retries: 2 });
    await bench.work([bad], 1);
    await expect(bad.run({})).rejects.toEqual([expect.stringContaining('"message":"boom 2"')]);
    expect(bench.runsOf("bad")[0]!.attempts.map(({ retryCount, ended }) => [retryCount, ended])).toEqual([
      [0, "failed"],
      [1, "failed"],
      [2, "failed"],
    ]);
  });

  it("gives up a run that no worker takes in time, and calls it cancelled", async () => {
    bench = await openBench();
    const lonely = bench.task("lonely", () => ({}), { scheduleTimeout: "1s" });
    await bench.register(lonely);
    const run = await lonely.runNoWait({});
    expect(await run.output).toEqual({}); // the SDK takes it for a success
    expect(await bench.client.runs.getDetails(run)).toMatchObject({ status: "CANCELLED", done: true });
    expect(await bench.client.runs.get_status(run)).toBe("FAILED");
  });

  it("ends a task that outlasts its time limit, unless that is refreshed", async () => {
    bench = await openBench();
    const seen: number[] = [];
    const slow = bench.task(
      "slow",
      async ({ refresh }, ctx) => {
        seen.push(ctx.retryCount());
        if (refresh) await ctx.refreshTimeout("1h");
        if (refresh) await until(() => bench.server.counters.timedOut === 2);
        return refresh ? { refreshed: true } : bench.untilAborted(ctx);
      },
      { executionTimeout: "1s", retries: 1 },
    );
    await bench.work([slow], 2);
    const refreshed = slow.run({ refresh: 1 });
    await until(() => seen.length === 1);
    await expect(slow.run({})).rejects.toEqual(["Task exceeded timeout of 1s"]);
    expect(await refreshed).toEqual({ refreshed: true });
    expect(seen).toEqual([0, 0, 1]);
  });

  it("lets a worker that stops finish what it has, and gives it no more", async () => {
    bench = await openBench();
    const gate = bench.gate();
    const task = bench.task("task", () => gate.open);
    const first = await bench.work([task], 1);
    const inHand = await task.runNoWait({});
    await until(() => bench.runsOf("task")[0]?.status === "RUNNING");
    const stopping = first.stop();
    await until(() => bench.worker(0).stream === undefined);
    const next = await task.runNoWait({});
    expect(bench.runsOf("task").map(({ status }) => status)).toEqual(["RUNNING", "QUEUED"]);
    gate.release({ done: true });
    expect(await inHand.output).toEqual({ done: true });
    await stopping;
    expect((await bench.client.workers.list()).rows!.map(({ status }) => status)).toEqual(["PAUSED"]);
    await bench.work([task], 1);
    expect(await next.output).toEqual({ done: true });
  });

  it("gives the tasks of a worker that is gone to another, and hears no more of the first", async () => {
    bench = await openBench({ goneAfterMs: 100 });
    const gate = bench.gate();
    let begun = 0;
    const task = bench.task("task", () => (begun++ === 0 ? gate.open : { by: "the second" }));
    const first = await bench.work([task], 1);
    const run = await task.runNoWait({});
    await until(() => begun === 1);
    await bench.hangUp(first);
    await bench.work([task], 1);
    expect(await run.output).toEqual({ by: "the second" });
    gate.release({ by: "the first" });
    await until(() => bench.server.counters.staleReports === 1);
    expect(bench.runsOf("task")[0]!.attempts.map(({ ended }) => ended)).toEqual(["reassigned", "completed"]);
    expect(bench.runsOf("task")[0]!.outcomes).toHaveLength(1);
  });
});
