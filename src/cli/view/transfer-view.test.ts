import { describe, expect, it } from "vitest";
import { PLAIN } from "./style.ts";
import { transferBar, transferLine, transferSummary } from "./transfer-view.ts";

const half = { files: 120, bytes: 5_000_000, totalFiles: 1_400, totalBytes: 10_000_000, skipped: 0 };

describe("progress of a transfer", () => {
  it("is files, bytes, rate and time left", () => {
    expect(transferLine(half, 2)).toBe("120/1,400 files, 5 MB of 10 MB, 2.5 MB/s, 2.0 s left");
    expect(transferLine(half, 0.2)).toBe("120/1,400 files, 5 MB of 10 MB");
    const done = { ...half, files: 1_400, bytes: 10_000_000 };
    expect(transferLine(done, 4)).toBe("1,400/1,400 files, 10 MB of 10 MB, 2.5 MB/s");
  });

  it("is a bar of bytes where there is room", () => {
    expect(transferBar(half, 2, 100, PLAIN)).toContain(`${"━".repeat(14)}${"─".repeat(14)}  120/1,400  5 MB of 10 MB`);
    expect(transferBar(half, 2, 40, PLAIN)).toBe("  120/1,400  5 MB of 10 MB  2.5 MB/s  2.0 s left");
    expect(transferBar({ ...half, bytes: 0, totalBytes: 0 }, 2, 80, PLAIN)).toContain("0 B of 0 B");
  });

  it("ends in what came, where it lies, and what to type", () => {
    const text = transferSummary({ ...half, skipped: 20 }, "/there", "scythe results x --storage .", PLAIN);
    expect(text.split("\n")).toEqual([
      "✓ 120 files, 5 MB; 20 of them were there already",
      "  in        /there",
      "  next      scythe results x --storage .",
    ]);
  });
});
