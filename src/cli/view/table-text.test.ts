import { describe, expect, test } from "vitest";
import { displayWidth } from "./display-width.ts";
import { tableText } from "./table-text.ts";

const lines = (text: string) => text.split("\n");

describe("tableText", () => {
  test("aligns text left and numbers right, without trailing blanks", () => {
    const { text } = tableText(
      [{ name: "name" }, { name: "n", align: "right" }, { name: "why" }],
      [
        ["a", "1", "x"],
        ["long name", "1000", ""],
      ],
    );
    expect(lines(text)).toEqual(["name          n  why", "a             1  x", "long name  1000"]);
  });

  test("counts wide characters as two columns", () => {
    const { text } = tableText(
      [{ name: "city" }, { name: "n", align: "right" }],
      [
        ["東京", "1"],
        ["Rome", "2"],
      ],
    );
    expect(lines(text)).toEqual(["city  n", "東京  1", "Rome  2"]);
  });

  test("cuts text, never numbers, to fit a width", () => {
    const { text, hidden } = tableText(
      [{ name: "message" }, { name: "n", align: "right" }],
      [["m".repeat(60), "123456789"]],
      { width: 40 },
    );
    expect(lines(text)[1]).toBe(`${"m".repeat(28)}…  123456789`);
    expect(hidden).toEqual([]);
  });

  test("leaves out columns from the middle when cutting is not enough, and says which", () => {
    const columns = ["a", "b", "c", "d", "e"].map((name) => ({ name, align: "right" as const }));
    const { text, hidden } = tableText(columns, [["11111111", "2222222222", "3333333333", "44444444", "55555555"]], {
      width: 40,
    });
    expect(lines(text)[1]).toBe("11111111  2222222222  …  55555555");
    expect(hidden).toEqual(["c", "d"]);
  });

  test("keeps every line within the width, whatever it is", () => {
    const columns = Array.from({ length: 9 }, (_, c) => ({
      name: `column ${c}`,
      align: c % 2 ? ("right" as const) : ("left" as const),
    }));
    const row = columns.map((_, c) => "x".repeat(3 * c + 1));
    for (let width = 20; width < 200; width++) {
      const { text } = tableText(columns, [row], { width, indent: 2 });
      for (const line of lines(text)) expect(displayWidth(line)).toBeLessThanOrEqual(width);
    }
  });

  test("shows everything without a width", () => {
    const { text, hidden } = tableText([{ name: "a" }], [["x".repeat(500)]]);
    expect(lines(text)[1]).toHaveLength(500);
    expect(hidden).toEqual([]);
  });
});
