import { describe, expect, it } from "vitest";
import { displayWidth, folded } from "./display-width.ts";

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
