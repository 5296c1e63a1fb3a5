import { describe, expect, test } from "vitest";
import { FailureGroups } from "./failure-groups.ts";

describe("FailureGroups", () => {
  test("messages that differ in numbers alone are of one sort", () => {
    const groups = new FailureGroups();
    for (let n = 0; n < 5; n++) groups.add("error", `n is ${n * 1.5e3}, not good\nline ${n}`);
    groups.add("crash", "n is 7, not good");
    groups.add("error", "other");
    expect(groups.total).toBe(7);
    expect(groups.byKind).toEqual({ error: 6, crash: 1 });
    expect(groups.list()[0]).toEqual({ kind: "error", message: "n is 0, not good\nline 0", count: 5 });
    expect(groups.list()).toHaveLength(3);
  });

  test("stays small however many messages there are, and counts them all", () => {
    const groups = new FailureGroups();
    for (let n = 0; n < 5_000; n++) groups.add("error", `word${String.fromCharCode(0x4e00 + n)}`);
    expect(groups.list().length).toBeLessThan(1_100);
    expect(groups.list().reduce((sum, { count }) => sum + count, 0)).toBe(5_000);
  });
});
