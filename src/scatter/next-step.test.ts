import { describe, expect, it } from "vitest";
import { ScytheError } from "../errors.ts";
import { PROBE_BUDGET_MS } from "./chunks.ts";
import { nextStep } from "./next-step.ts";
import type { LeafTask } from "./run-task.ts";

const planning = { chunkSize: 10, slots: 2 };
const ranges = (...pairs: [number, number][]) => pairs.map(([from, to]) => ({ from, to }));
const wave = (number: number, ...pairs: [number, number][]) => ({
  number,
  timeBudgetMs: 300,
  ranges: ranges(...pairs),
});
const leaf = (from: number, to: number): LeafTask => ({
  ...{ experiment_id: "any", path: [], epoch: 1, generation: 0, box_ms: null, schema_hash: "" },
  ...{ from, to },
});

describe("a node's next step", () => {
  it("is to plan where nothing is planned, in chunks of the size that is fixed", () => {
    expect(nextStep({ size: 25, parts: [], wave: undefined }, [], planning)).toEqual({
      ...{ do: "plan", number: 0 },
      wave: { timeBudgetMs: null, ranges: ranges([0, 10], [10, 20], [20, 25]) },
    });
  });

  it("is to try with a time budget where no cost is known, and by the measured cost after that", () => {
    const free = { chunkSize: null, slots: 2 };
    const first = nextStep({ size: 1_000, parts: [], wave: undefined }, [], free);
    expect(first).toMatchObject({
      do: "plan",
      wave: { timeBudgetMs: PROBE_BUDGET_MS, ranges: ranges([0, 500], [500, 1_000]) },
    });
    const settled = [{ payload: leaf(0, 500), result: { from: 0, to: 4, ok: 4, failed: 0, seconds: 2 } }];
    const next = nextStep({ size: 1_000, parts: ranges([0, 4]), wave: wave(0, [0, 500]) }, settled, free);
    expect(next).toMatchObject({ do: "plan", number: 1 });
    const [chunk] = (next as { wave: { ranges: { from: number; to: number }[] } }).wave.ranges;
    expect(chunk).toMatchObject({ from: 4 });
    expect(chunk!.to - chunk!.from).toBeLessThan(100); // two specs a second
  });

  it("is to run what of the planned wave has no part, with its budget", () => {
    const planned = wave(3, [0, 10], [10, 20], [20, 25]);
    const step = nextStep({ size: 25, parts: ranges([10, 12]), wave: planned }, [], planning);
    expect(step).toEqual({ do: "run", wave: { ...planned, ranges: ranges([0, 10], [20, 25]) } });
  });

  it("is to plan what the leaves have handed back", () => {
    const step = nextStep(
      { size: 20, parts: ranges([0, 7], [10, 20]), wave: wave(0, [0, 10], [10, 20]) },
      [],
      planning,
    );
    expect(step).toEqual({ do: "plan", number: 1, wave: { timeBudgetMs: null, ranges: ranges([7, 10]) } });
  });

  it("is to merge when parts that overlap cover everything", () => {
    const parts = ranges([0, 10], [0, 4], [10, 20]);
    expect(nextStep({ size: 20, parts, wave: wave(0, [0, 10], [10, 20]) }, [], planning)).toEqual({ do: "merge" });
  });

  it("is to plan again what parts cover that do not fit together", () => {
    const parts = ranges([0, 12], [8, 20]);
    const step = nextStep({ size: 20, parts, wave: wave(0, [0, 10], [8, 20]) }, [], { ...planning, chunkSize: 20 });
    expect(step).toMatchObject({ do: "plan", number: 1 });
    const [chunk, ...others] = (step as { wave: { ranges: { from: number; to: number }[] } }).wave.ranges;
    expect(others).toEqual([]);
    expect(ranges([0, 8], [12, 20])).toContainEqual(chunk);
  });

  it("is none when every open chunk has just failed; one that has not failed goes on", () => {
    const planned = { size: 20, parts: [], wave: wave(0, [0, 10], [10, 20]) };
    const failed = (from: number, error: Error) => ({ payload: leaf(from, from + 10), error });
    const lost = new Error("no child process");
    expect(nextStep(planned, [failed(0, lost)], planning)).toMatchObject({ do: "run" });
    expect(() => nextStep(planned, [failed(0, lost), failed(10, lost)], planning)).toThrow(
      "2 chunks could not be run: no child process",
    );
    const own = new ScytheError("conflict", "not at this generation");
    expect(() => nextStep(planned, [failed(0, own), failed(10, own)], planning)).toThrow(own);
  });
});
