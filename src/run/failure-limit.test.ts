import { describe, expect, it } from "vitest";
import { allowedFailures, failureLimitText, tooManyFailures } from "./failure-limit.ts";

describe("a limit of failures", () => {
  it.each([0, 5, "5", "1%", "0.5%", "100%"])("may be %s", (limit) => {
    expect(failureLimitText(limit)).toBe(String(limit));
  });

  it.each([-1, 1.5, "", "many", "101%", "-1%", "1 %x", Number.NaN])("may not be %s", (limit) => {
    expect(() => failureLimitText(limit)).toThrow(/maxFailures must be a number of specs or a share/);
  });

  it.each([
    ["0", 100, 0],
    ["7", 100, 7],
    ["1%", 250, 2],
    ["0.5%", 1_000, 5],
    ["100%", 3, 3],
    ["1%", 99, 0],
  ])("of %s of %i specs allows %i", (limit, allocated, allowed) => {
    expect(allowedFailures(limit, allocated)).toBe(allowed);
  });

  it("is told with what it means", () => {
    expect(tooManyFailures("1%", 4, 250)).toBe("4 specs failed, more than --max-failures allows (1% of 250 specs, 2)");
  });
});
