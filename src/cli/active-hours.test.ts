import { describe, expect, it } from "vitest";
import { parseActiveHours } from "./active-hours.ts";

const at = (hours: number, minutes: number, seconds = 0) => new Date(2026, 0, 15, hours, minutes, seconds);

describe("parseActiveHours", () => {
  it("knows hours within a day", () => {
    const hours = parseActiveHours("9:00-17:30");
    expect([at(8, 59), at(9, 0), at(17, 29), at(17, 30)].map(hours.includes)).toEqual([false, true, true, false]);
  });

  it("knows hours past midnight", () => {
    const hours = parseActiveHours("20:00-07:00");
    expect([at(19, 59), at(20, 0), at(0, 0), at(6, 59), at(7, 0)].map(hours.includes)).toEqual([
      false,
      true,
      true,
      true,
      false,
    ]);
  });

  it("says how long it is until they begin or end", () => {
    const hours = parseActiveHours("20:00-07:00");
    expect(hours.untilChange(at(19, 59, 30))).toBe(30_000);
    expect(hours.untilChange(at(20, 0))).toBe(11 * 3_600_000);
    expect(hours.untilChange(at(7, 0))).toBe(13 * 3_600_000);
  });

  it.each(["", "20-7", "25:00-07:00", "20:00-20:00", "20:61-07:00", "night"])("refuses %j", (text) => {
    expect(() => parseActiveHours(text)).toThrow("is not a pair of times");
  });
});
