import { describe, expect, it } from "vitest";
import { isScytheError } from "../errors.ts";
import { type Engine, type Json, LEAF_ATTEMPTS, type Programs, type Worker } from "./engine.ts";
import { type CountNode, deferred, Recorder, toyPrograms } from "./toy-programs.testsuite.ts";

/** An engine that knows the programs it is given, and a way to stop whatever serves it. */
export interface EngineUnderTest {
  engine: Engine;
  /** For engines whose leaves run in workers. */
  worker?: Worker;
}

const json = (node: CountNode): Json => node;
/** Messages of an error and of its causes. */
function messagesOf(error: unknown): string {
  return error instanceof Error ? `${error.message} ← ${messagesOf(error.cause)}` : "";
}
const failureOf = (result: Promise<Json>) =>
  result.then(
    (value) => ({ code: "none", messages: `resolved to ${JSON.stringify(value)}` }),
    (error: unknown) => ({ code: isScytheError(error) ? error.code : "foreign", messages: messagesOf(error) }),
  );

/**
 * The contract of `Engine`: every implementation passes it. The programs run in this process or in workers of it, so
 * that what they do can be watched.
 * @param slots leaves at once that the engine is made for, ≥ 1
 */
export function engineSuite(
  name: string,
  slots: number,
  makeEngine: (programs: Programs) => Promise<EngineUnderTest> | EngineUnderTest,
): void {
  const withEngine = async (work: (engine: Engine, record: Recorder) => Promise<void>) => {
    const record = new Recorder();
    const { engine, worker } = await makeEngine(toyPrograms(record));
    try {
      await work(engine, record);
    } finally {
      await worker?.stop();
    }
  };

  describe(`${name} keeps the engine contract`, () => {
    it("runs the leaves of one node and merges them", () =>
      withEngine(async (engine, record) => {
        const run = await engine.start("count", json({ name: "root", waves: [5] }));
        expect(await run.result()).toEqual({ leaves: 5 });
        expect(await run.status()).toBe("succeeded");
        expect(record.leaves.sort()).toEqual(["root/0/0", "root/0/1", "root/0/2", "root/0/3", "root/0/4"]);
      }));

    it("merges a node without work", () =>
      withEngine(async (engine) => {
        const run = await engine.start("count", json({ name: "root", waves: [] }));
        expect(await run.result()).toEqual({ leaves: 0 });
      }));

    it("settles a wave before the node is asked for the next, and hands its results over", () =>
      withEngine(async (engine, record) => {
        const run = await engine.start("count", json({ name: "root", waves: [3, 1, 4] }));
        expect(await run.result()).toEqual({ leaves: 8 });
        const expands = record.events.filter(({ step }) => step === "expand");
        expect(expands.map(({ doneLeaves }) => doneLeaves)).toEqual([0, 3, 4, 8]);
        expect(expands.map(({ settled }) => settled)).toEqual([
          [],
          ["root/0/0", "root/0/1", "root/0/2"],
          ["root/1/0"],
          ["root/2/0", "root/2/1", "root/2/2", "root/2/3"],
        ]);
        expect(record.events.at(-1)).toMatchObject({ step: "merge", node: "root", doneLeaves: 8 });
      }));

    it("runs nested nodes, more of them than slots, each merged before its parent", () =>
      withEngine(async (engine, record) => {
        const nested = (own: string, depth: number): CountNode => ({
          name: own,
          waves: [1],
          children: depth === 0 ? [] : Array.from({ length: 6 }, (_, i) => nested(`${own}.${i}`, depth - 1)),
        });
        const run = await engine.start("count", json(nested("root", 2)));
        expect(await run.result()).toEqual({ leaves: 43 });
        const merges = record.events.flatMap(({ step, node }) => (step === "merge" ? [node] : []));
        expect(new Set(merges).size).toBe(43);
        for (const child of merges.filter((node) => node !== "root")) {
          const parent = child.slice(0, child.lastIndexOf("."));
          expect(merges.indexOf(child), child).toBeLessThan(merges.indexOf(parent));
        }
      }));

    it("tries a leaf that throws again", () =>
      withEngine(async (engine, record) => {
        const run = await engine.start("count", json({ name: "root", waves: [2], throwing: { "root/0/1": 1 } }));
        expect(await run.result()).toEqual({ leaves: 2 });
        expect(record.attemptsOf("root/0/1")).toEqual([1, 2]);
        expect(record.attemptsOf("root/0/0")).toEqual([1]);
      }));

    it(`hands a leaf that always throws to expand as an error, after ${LEAF_ATTEMPTS} tries`, () =>
      withEngine(async (engine, record) => {
        const root = json({ name: "root", waves: [3, 1], throwing: { "root/0/1": Number.MAX_SAFE_INTEGER } });
        const run = await engine.start("count", root);
        expect(await run.result()).toEqual({ leaves: 3 });
        expect(record.attemptsOf("root/0/1")).toEqual(Array.from({ length: LEAF_ATTEMPTS }, (_, i) => i + 1));
        expect(record.failures).toEqual([["root/0/1", expect.stringContaining("leaf root/0/1 throws")]]);
      }));

    it.each(["expand", "merge"] as const)(
      "fails the run when %s throws, at any depth, with that as the cause",
      (step) =>
        withEngine(async (engine) => {
          for (const depth of [0, 1]) {
            const bad: CountNode = { name: "bad", waves: [1], failing: step };
            const root: CountNode = depth === 0 ? bad : { name: "root", waves: [1], children: [bad] };
            const run = await engine.start("count", json(root));
            expect((await failureOf(run.result())).messages).toContain(`${step} of bad throws`);
            expect(await run.status()).toBe("failed");
          }
        }),
    );

    it("leaves nothing running behind a failure", () =>
      withEngine(async (engine, record) => {
        const children: CountNode[] = [
          { name: "bad", waves: [], failing: "expand" },
          { name: "slow", waves: [slots + 2], pausing: true },
        ];
        const run = await engine.start("count", json({ name: "root", waves: [1], children }));
        await failureOf(run.result());
        const before = record.leaves.length;
        await record.pause();
        expect(record.running).toBe(0);
        expect(record.leaves.length).toBe(before);
      }));

    it("keeps within its slots, and numbers them", () =>
      withEngine(async (engine, record) => {
        const children = Array.from(
          { length: 5 },
          (_, i): CountNode => ({
            name: `node${i}`,
            waves: [slots + 1],
            pausing: true,
          }),
        );
        const run = await engine.start("count", json({ name: "root", waves: [], children }));
        await run.result();
        expect(record.mostRunning).toBeLessThanOrEqual(slots);
        expect(record.mostRunning).toBe(slots); // and uses them all
        expect(record.slotClashes).toEqual([]);
        expect([...record.slotsSeen].sort()).toEqual(Array.from({ length: slots }, (_, i) => i));
        expect([...record.capacities]).toEqual([slots]);
      }));

    it("runs two runs at once, within the same slots", () =>
      withEngine(async (engine, record) => {
        const start = (own: string) => engine.start("count", json({ name: own, waves: [slots * 3], pausing: true }));
        const runs = await Promise.all([start("one"), start("two")]);
        expect(runs[0]?.id).not.toBe(runs[1]?.id);
        const results = await Promise.all(runs.map((run) => run.result()));
        expect(results).toEqual([{ leaves: slots * 3 }, { leaves: slots * 3 }]);
        expect(record.mostRunning).toBeLessThanOrEqual(slots);
        expect(record.slotClashes).toEqual([]);
      }));

    it("is cancelled after the work in hand, and says so", () =>
      withEngine(async (engine, record) => {
        const hold = deferred();
        record.onLeaf = () => hold.promise;
        const run = await engine.start("count", json({ name: "root", waves: [slots * 4, 5] }));
        await record.firstLeaf;
        expect(await run.status()).toBe("running");
        const cancelling = run.cancel();
        expect(await record.aborted).toBe(true);
        hold.resolve();
        await cancelling;
        expect(await run.status()).toBe("cancelled");
        expect((await failureOf(run.result())).code).toBe("cancelled");
        expect(record.running).toBe(0);
        expect(record.leaves.length).toBeLessThan(slots * 4);
        expect(record.events.filter(({ step }) => step === "merge")).toEqual([]);
        await run.cancel(); // once more does no harm
      }));

    it("stays succeeded when cancelled too late", () =>
      withEngine(async (engine) => {
        const run = await engine.start("count", json({ name: "root", waves: [1] }));
        await run.result();
        await run.cancel();
        expect(await run.status()).toBe("succeeded");
        expect(await run.result()).toEqual({ leaves: 1 });
      }));

    it("finds a run that was started, by its id", () =>
      withEngine(async (engine) => {
        const run = await engine.start("count", json({ name: "root", waves: [2] }));
        const again = await engine.attach(run.id);
        expect(again.id).toBe(run.id);
        expect(await again.result()).toEqual({ leaves: 2 });
        await expect(engine.attach("no-such-run")).rejects.toMatchObject({ code: "engine" });
      }));

    it("refuses a program that it does not know", () =>
      withEngine(async (engine) => {
        await expect(engine.start("unknown", null)).rejects.toMatchObject({ code: "engine" });
      }));
  });
}
