import { expect, it } from "vitest";
import { oneLine } from "./cell-text.ts";
import { plainText } from "./plain-text.ts";

it.each([
  ["a title", "\u001b]0;owned\u0007", "\\u001b]0;owned\\u0007"],
  ["the clipboard", "\u001b]52;c;eA==\u001b\\", "\\u001b]52;c;eA==\\u001b\\"],
  ["the cursor", "\u001b[2A\u001b[2K", "\\u001b[2A\\u001b[2K"],
  ["hidden text", "\u001b[8mhidden", "\\u001b[8mhidden"],
  ["one byte for two", "\u009b2J", "\\u009b2J"],
  ["a line over another", "good\rbad\b\b", "good\\u000dbad\\u0008\\u0008"],
  ["another direction", "\u202etxt.exe\u2066\u061c", "\\u202etxt.exe\\u2066\\u061c"],
])("%s shows as what it is", (_what, text, shown) => {
  expect(plainText(text)).toBe(shown);
  expect(oneLine(text)).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
});

it("leaves text, line breaks, tabs and our own colours", () => {
  const text = "\u001b[1mname\u001b[22m\t\u001b[31mbad\u001b[39m\nzażółć 北京 🎉 עברית";
  expect(plainText(text)).toBe(text);
});

it("changes no value in JSON", () => {
  const value = { name: "\u202e\u009b\u001b[2J", n: 1 };
  expect(JSON.parse(plainText(JSON.stringify(value)))).toEqual(value);
});
