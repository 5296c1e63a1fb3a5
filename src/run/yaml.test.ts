import { describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { growth, LINEAR } from "../../test/growth.ts";
import { parseYaml } from "./yaml.ts";

function inputFiles(count: number): string {
  const uris = Array.from({ length: count }, (_, i) => `file:///data/study/v1.0.0/artifacts/weather/file-${i}.epw`);
  return stringify({ files: { weather: uris }, sha256: Object.fromEntries(uris.map((uri) => [uri, "0".repeat(64)])) });
}

describe("parseYaml", () => {
  it("reads what was written", () => {
    const value = { a: 1, b: [null, true, "x: y", { "": "é\n" }], c: { d: "2024-01-31", e: "0x10", f: 1e300 } };
    expect(parseYaml(stringify(value))).toEqual(value);
    expect(parseYaml("# a comment\na: &x [1]\nb: *x\n")).toEqual({ a: [1], b: [1] });
  });

  it.each([
    ["a: [", /line 1/],
    ["a: 1\nb: ]\n", /line 2/],
    ["a: 1\nb:\n  c: 1\n  c: 2\n", /"c" twice/],
    ["a: &a [1,1]\nb: &b [*a,*a]\nc: &c [*b,*b]\nd: &d [*c,*c]\ne: &e [*d,*d]\nf: [*e,*e,*e,*e]\n", /alias/i],
    [`a: ${"x".repeat(64e6)}`, /the limit is 64000000/],
  ])("refuses %#", (text, message) => {
    expect(() => parseYaml(text)).toThrow(message);
  });

  it.each([
    ["the record of many input files", inputFiles],
    ["many keys", (n: number) => Array.from({ length: 4 * n }, (_, i) => `k${i}: 1\n`).join("")],
    [
      "many values in a line",
      (n: number) => `a: [${"b, ".repeat(4 * n)}]\nc: {${Array.from({ length: n }, (_, i) => `d${i}: 1`)}}`,
    ],
    ["many aliases", (n: number) => Array.from({ length: 2 * n }, (_, i) => `- &a${i} v\n- *a${i}\n`).join("")],
    ["many errors", (n: number) => "a: ]\n".repeat(n)],
  ])("takes time in proportion to its length: %s", async (_name, make) => {
    const parse = (text: string) => {
      try {
        parseYaml(text);
      } catch {
        // what is no YAML must not take long either
      }
    };
    expect(await growth(make, parse, 2_000)).toBeLessThanOrEqual(LINEAR);
  });
});
