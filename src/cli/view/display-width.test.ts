import stringWidth from "string-width";
import { describe, expect, it } from "vitest";
import { cut, displayWidth, folded, NARROW } from "./display-width.ts";

describe("displayWidth", () => {
  it.each([
    ["👨‍👩‍👧", 2],
    ["🇩🇪", 2],
    ["👍🏽", 2],
    ["❤️", 2],
    ["한국", 4],
    ["q̣̇", 1],
    ["naïve …", 7],
  ])("counts what is seen: %s takes %d columns", (text, width) => {
    expect(displayWidth(text)).toBe(width);
    expect(displayWidth(`${text}|${text}`)).toBe(2 * width + 1);
  });

  it("takes for narrow what is", () => {
    const narrow = Array.from({ length: 0xffff }, (_, code) => String.fromCharCode(code)).filter((c) => NARROW.test(c));
    expect(narrow.length).toBeGreaterThan(600);
    expect(narrow.filter((character) => stringWidth(character) !== 1)).toEqual([]);
  });

  it("cuts between what is seen as one character", () => {
    expect(cut("👨‍👩‍👧👨‍👩‍👧👨‍👩‍👧", 5)).toBe("👨‍👩‍👧👨‍👩‍👧…");
    expect(cut("👨‍👩‍👧👨‍👩‍👧👨‍👩‍👧", 4)).toBe("👨‍👩‍👧…");
    expect(cut("e\u0301e\u0301e\u0301", 2)).toBe("e\u0301…");
  });
});

describe("folded", () => {
  it.each([
    ["short", 10, ["short"]],
    ["one two three", 7, ["one two", "three"]],
    ["one two three", 8, ["one two", "three"]],
    ["onetwothree four", 5, ["onetw", "othre", "e", "four"]],
    ["東京 東京", 4, ["東京", "東京"]],
    ["ab😀", 3, ["ab", "😀"]],
    ["", 5, [""]],
  ])("breaks %j at %d columns", (text, width, lines) => {
    expect(folded(text, width, 10)).toEqual(lines);
  });

  it("cuts the last line that is allowed", () => {
    const lines = folded("a long message of many words", 9, 2);
    expect(lines).toEqual(["a long", "message …"]);
    for (const line of lines) expect(displayWidth(line)).toBeLessThanOrEqual(9);
  });
});
