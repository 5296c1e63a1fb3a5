import { describe, expect, test } from "vitest";
import { bytesText } from "../../bytes-text.ts";
import { cellText, messageLine, oneLine } from "./cell-text.ts";
import { csvLine } from "./csv-text.ts";
import { cut, displayWidth, pad } from "./display-width.ts";
import { jsonText } from "./json-text.ts";
import { countText, durationText, plural, rateText, timeText } from "./units.ts";

const big = 9_007_199_254_740_993n;
const date = new Date("2026-01-31T12:00:00Z");

describe("JSON", () => {
  test("loses nothing that JSON has no type for", () => {
    const value = {
      big,
      small: 5n,
      nan: Number.NaN,
      inf: -Infinity,
      date,
      bytes: new Uint8Array([1, 2]),
      nested: [{ big }],
    };
    expect(JSON.parse(jsonText(value))).toEqual({
      big: "9007199254740993",
      small: 5,
      nan: "NaN",
      inf: "-Infinity",
      date: "2026-01-31T12:00:00.000Z",
      bytes: "AQI=",
      nested: [{ big: "9007199254740993" }],
    });
  });
});

describe("CSV", () => {
  test("quotes what must be quoted, and tells an empty text from a missing value", () => {
    const line = csvLine(['say "hi"', "a,b", "two\nlines", " edge", "", null, undefined, "plain"]);
    expect(line).toBe('"say ""hi""","a,b","two\nlines"," edge","",,,plain');
  });

  test("writes numbers in full, dates as ISO and nested values as JSON", () => {
    expect(csvLine([0.1 + 0.2, big, true, date, [1, 2], { a: "x" }])).toBe(
      '0.30000000000000004,9007199254740993,true,2026-01-31T12:00:00.000Z,"[1,2]","{""a"":""x""}"',
    );
  });
});

describe("cells", () => {
  test("six significant digits, or all of them", () => {
    expect([0.1 + 0.2, 1 / 3, 123456789, 1e-9 / 3].map((n) => cellText(n))).toEqual([
      "0.3",
      "0.333333",
      "123456789",
      "3.33333e-10",
    ]);
    expect(cellText(0.1 + 0.2, true)).toBe("0.30000000000000004");
    expect([null, undefined, true, big, date, { a: [1] }].map((v) => cellText(v))).toEqual([
      "",
      "",
      "true",
      "9007199254740993",
      "2026-01-31T12:00:00Z",
      '{"a":[1]}',
    ]);
  });

  test("cannot steer the terminal", () => {
    expect(oneLine("a\u001b[31mb\tc\nd\u009b")).toBe("a\\u001b[31mb\\tc\\nd\\u009b");
    expect(messageLine("first\n  second\n")).toBe("first ↵ second");
  });
});

describe("display width", () => {
  test("counts columns, not characters", () => {
    expect(["abc", "東京", "e\u0301", "🎉", "…"].map(displayWidth)).toEqual([3, 4, 1, 2, 1]);
    expect(cut("東京都庁", 5)).toBe("東京…");
    expect(cut("abc", 3)).toBe("abc");
    expect(pad("東", 4, "right")).toBe("  東");
  });
});

describe("units", () => {
  test("durations", () => {
    const seconds = [0.04, 9.94, 9.96, 59.6, 185, 3599.6, 7_500, 273_600];
    expect(seconds.map(durationText)).toEqual([
      "0.0 s",
      "9.9 s",
      "10 s",
      "1 m 00 s",
      "3 m 05 s",
      "1 h 00 m",
      "2 h 05 m",
      "3 d 04 h",
    ]);
  });

  test("bytes, counts, rates, times", () => {
    expect([0, 512, 999, 1000, 12_345, 1_234_567, 999_999].map(bytesText)).toEqual([
      "0 B",
      "512 B",
      "999 B",
      "1 kB",
      "12.3 kB",
      "1.23 MB",
      "1 MB",
    ]);
    expect([countText(1234567), plural(1, "spec"), plural(2000, "spec")]).toEqual([
      "1,234,567",
      "1 spec",
      "2,000 specs",
    ]);
    expect([1234.5, 12.3, 1.23, 0.052].map(rateText)).toEqual(["1,235", "12", "1.2", "0.052"]);
    expect([timeText(date), timeText("soon")]).toEqual(["2026-01-31 12:00:00 UTC", "soon"]);
  });
});
