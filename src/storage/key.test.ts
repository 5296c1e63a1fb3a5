import { describe, expect, it } from "vitest";
import { assertKey, assertPrefix, isSegment } from "./key.ts";

describe("assertKey", () => {
  const good = ["a", "a/b.pq", ".hidden", "a..b", "...", "ü/中文", "ab:c", "CC:", "x".repeat(255), "with space/#?%20"];
  it.each(good)("takes %s", (key) => expect(() => assertKey(key)).not.toThrow());

  const bad = [
    ...["", "/a", "a/", "a//b", ".", "..", "../a", "a/../b", "a/..", "a\\..\\b", "\\\\host\\share", "a\0b"],
    ...["C:", "c:/windows", "a/D:/b", "C:file", "x".repeat(256), `a/${"ä".repeat(128)}`, "a/".repeat(600)],
  ];
  it.each(bad.map((key) => [JSON.stringify(key).slice(0, 30), key] as const))("refuses %s", (_, key) => {
    expect(() => assertKey(key)).toThrow(expect.objectContaining({ code: "storage" }));
  });
});

describe("assertPrefix", () => {
  it("takes the beginning of keys, and none", () => {
    for (const prefix of ["", "a", "a/", "a/b"]) expect(() => assertPrefix(prefix)).not.toThrow();
  });

  it("refuses what leads elsewhere", () => {
    for (const prefix of ["/", "../", "a/../", "C:/", "a//"]) expect(() => assertPrefix(prefix), prefix).toThrow();
  });
});

describe("isSegment", () => {
  it("is a name between two slashes", () => {
    expect(["weather_file", "a b", "~", "..."].every(isSegment)).toBe(true);
    expect(["", ".", "..", "../x", "/x", "a/b", "a\\b", "C:", "a\0", "x".repeat(300)].some(isSegment)).toBe(false);
  });
});
