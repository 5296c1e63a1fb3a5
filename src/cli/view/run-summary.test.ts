import { expect, test } from "vitest";
import type { RunOutcome } from "../../index.ts";
import { runSummary } from "./run-summary.ts";
import { PLAIN } from "./style.ts";

const outcome: RunOutcome = {
  experiment_id: "demo/v1.0.0/2026-01-31_12-00-00",
  uri: "file:///data/demo/v1.0.0/2026-01-31_12-00-00",
  status: "complete",
  reason: null,
  seed: 1,
  generation: 0,
  retried: null,
  allocated: 1_000,
  succeeded: 1_000,
  failed: 0,
  missing: 0,
  failed_by_kind: {},
  seconds: 12.3,
  tables: [
    { name: "scalars", rows: 1_000, bytes: 5, uri: "" },
    { name: "errors", rows: 0, bytes: 5, uri: "" },
  ],
  failures: [],
};

test("a good run", () => {
  expect(runSummary(outcome, { style: PLAIN, width: 100 }).split("\n")).toEqual([
    "✓ 1,000 specs succeeded in 12 s",
    "  tables    /data/demo/v1.0.0/2026-01-31_12-00-00/final",
    "  rows      scalars 1,000 · errors 0",
    "  next      scythe results demo/v1.0.0/2026-01-31_12-00-00",
  ]);
});

test("a run with failures tells how many of which kind, the first ones, and where the rest is", () => {
  const failed = {
    ...outcome,
    succeeded: 997,
    failed: 3,
    failed_by_kind: { error: 2, timeout: 1 },
    failures: [{ sort_index: 7, kind: "error", message: `too ${"long ".repeat(40)}` }],
  };
  const lines = runSummary(failed, { style: PLAIN, width: 60 }).split("\n");
  expect(lines.slice(0, 2)).toEqual([
    "✗ 3 of 1,000 specs failed, 997 succeeded in 12 s",
    "  kinds     error 2 · timeout 1",
  ]);
  expect(lines[2]).toMatch(/^ {2}first {5}spec 7 {2}error {2}too long .*…$/);
  expect(lines[2]!.length).toBeLessThanOrEqual(60);
  expect(lines.slice(-2)).toEqual([
    "  next      scythe errors demo/v1.0.0/2026-01-31_12-00-00",
    "            scythe results demo/v1.0.0/2026-01-31_12-00-00",
  ]);
});

test("a run that was stopped tells what is kept", () => {
  const stopped = { ...outcome, status: "cancelled" as const, succeeded: 400, failed: 1, missing: 599, seconds: null };
  expect(runSummary(stopped, { style: PLAIN, width: 100 }).split("\n")).toEqual([
    "■ stopped: 401 of 1,000 specs done, 1 of them failed; 599 not run",
    "  kept      /data/demo/v1.0.0/2026-01-31_12-00-00",
    "  next      scythe errors demo/v1.0.0/2026-01-31_12-00-00",
    "            scythe resume demo/v1.0.0/2026-01-31_12-00-00",
    "            scythe show demo/v1.0.0/2026-01-31_12-00-00",
  ]);
});
