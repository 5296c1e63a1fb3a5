import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bigintOf, booleanOf, dateOf, numberOf } from "./plain-text.ts";

describe("a date", () => {
  it.each([
    ["2024-01-31", "2024-01-31T00:00:00.000Z"],
    ["2024-01-31T12:00", "2024-01-31T12:00:00.000Z"],
    ["2024-01-31 12:00:30", "2024-01-31T12:00:30.000Z"],
    ["2024-01-31T12:00:30.5", "2024-01-31T12:00:30.500Z"],
    ["2024-01-31T12:00:30.123456789", "2024-01-31T12:00:30.123Z"],
    ["2024-01-31T12:00:30Z", "2024-01-31T12:00:30.000Z"],
    ["2024-01-31T12:00:30+01:30", "2024-01-31T10:30:30.000Z"],
    ["2024-01-31 12:00:30-0800", "2024-01-31T20:00:30.000Z"],
    ["2024-01-31 12:00:30+00", "2024-01-31T12:00:30.000Z"],
    ["2024-02-29", "2024-02-29T00:00:00.000Z"],
    ["0001-01-01", "0001-01-01T00:00:00.000Z"],
    ["+012024-01-01", "+012024-01-01T00:00:00.000Z"],
    [" 2024-01-31 ", "2024-01-31T00:00:00.000Z"],
  ])("%j is %s, whatever the machine's zone", (text, iso) => {
    expect(dateOf(text)?.toISOString()).toBe(iso);
  });

  it.each([
    ..."2024-02-30 2023-02-29 2024-13-01 2024-00-10 2024-01-32 01/02/2024 31.01.2024 20240131 2024-1-5".split(" "),
    ..."2024 2024-01 1706700000 1706700000000 today Jan 2024-W05-3 2024-031 2024-01-31T25:00 24-01-31".split(" "),
    ..."2024-01-31T12:60 2024-01-31T12:00:60 2024-01-31T12:00+25:00 2024-01-31T12:00EST -000000-01-01".split(" "),
    ...["", " ", "January 5, 2024", "2024-01-31T", "2024-01-31 noon", `2024-01-31${" ".repeat(100_000)}x`],
  ])("%j is none", (text) => {
    expect(dateOf(text)).toBeUndefined();
  });

  it("is what it was written from", () => {
    fc.assert(
      fc.property(fc.date({ noInvalidDate: true }), (date) => {
        expect(dateOf(date.toISOString())).toEqual(date);
      }),
    );
  });
});

it("numbers, 64-bit integers and booleans are what is written as such", () => {
  expect([" 1 ", "-1.5e3", "+.5", "5.", "007", "inf", "-Infinity"].map(numberOf)).toEqual([
    1,
    -1500,
    0.5,
    5,
    7,
    Infinity,
    -Infinity,
  ]);
  expect(numberOf("NaN")).toBeNaN();
  expect(["", " ", "0x10", "1_000", "1,5", "1 2", "e5", ".", "1e", "--1"].map(numberOf)).toEqual(
    Array(10).fill(undefined),
  );
  expect(["9007199254740993", " +7 ", "-0"].map(bigintOf)).toEqual([9007199254740993n, 7n, 0n]);
  expect(["", "1.5", "0x10", "1e3", "9".repeat(100_000)].map(bigintOf)).toEqual(Array(5).fill(undefined));
  expect(["true", "FALSE", " yes ", "no", "1", "0"].map(booleanOf)).toEqual([true, false, true, false, true, false]);
  expect(["", "on", "2", "y", "constructor"].map(booleanOf)).toEqual(Array(5).fill(undefined));
});
