import { describe, expect, test } from "vitest";
import { displayWidth } from "./display-width.ts";
import { barText, type ProgressCounts, progressBlock, progressLine } from "./progress-line.ts";
import { PLAIN } from "./style.ts";

const at = (changes: Partial<ProgressCounts> = {}): ProgressCounts => ({
  status: "running",
  allocated: 10_000,
  succeeded: 4_000,
  failed: 0,
  rate: 1_234.5,
  eta: 5.2,
  failures: [],
  ...changes,
});

describe("progressLine", () => {
  test("tells count, rate, time left and failures", () => {
    expect(progressLine(at({ failed: 2 }))).toBe("4,002/10,000 specs (40 %), 1,235 specs/s, 5.2 s left, 2 failed");
  });

  test("tells no rate before there is one, and no time left after the end", () => {
    expect(progressLine(at({ succeeded: 0, rate: 0, eta: undefined }))).toBe("0/10,000 specs (0 %), 0 failed");
    expect(progressLine(at({ status: "cancelled" }))).toBe("4,000/10,000 specs (40 %), 1,235 specs/s, 0 failed");
  });

  test("is not at 100 % before the last spec", () => {
    expect(progressLine(at({ succeeded: 9_999 }))).toContain("(99 %)");
    expect(progressLine(at({ succeeded: 10_000 }))).toContain("(100 %)");
  });
});

describe("progressBlock", () => {
  const failures = [{ sortIndex: 17, kind: "error", message: "no good\nat all" }];

  test("is a bar, and the newest failure under it", () => {
    expect(progressBlock(at({ failed: 2, failures }), 100, PLAIN).split("\n")).toEqual([
      "  ━━━━━━━━━━━─────────────────  4,002/10,000  40 %  1,235 specs/s  5.2 s left  2 failed",
      "  spec 17  error  no good ↵ at all",
    ]);
  });

  test("fits the terminal, without a bar when it must", () => {
    for (const width of [62, 80, 200]) {
      for (const line of progressBlock(at({ failures, failed: 1 }), width, PLAIN).split("\n")) {
        expect(displayWidth(line)).toBeLessThanOrEqual(width);
      }
    }
    expect(progressBlock(at(), 40, PLAIN)).not.toContain("━");
  });
});

describe("barText", () => {
  test("shows a single failure among many specs", () => {
    const style = { ...PLAIN, red: (text: string) => text.replaceAll("━", "!") };
    expect(barText(at({ failed: 1 }), 10, style)).toBe("━━━!──────");
    expect(barText(at({ succeeded: 0, failed: 10_000 }), 5, style)).toBe("!!!!!");
    expect(barText(at({ allocated: 0, succeeded: 0 }), 5, style)).toBe("─────");
  });
});
