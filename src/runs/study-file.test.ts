import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { loguniform } from "../sampling/space/distributions.ts";
import { parseStudy, studyJsonSchema, studyText } from "./study-file.ts";

const STUDY = `experiment: office
design: lhs
n: 100
seed: 7
options:
  optimise: maximin
space:
  r_value: loguniform:0.5,15
fixed:
  economizer: none
recursion:
  factor: 4
  max_depth: 1
max_failures: 1%
`;

const problemOf = (text: string) => {
  try {
    parseStudy(text, "study.yml");
  } catch (error) {
    return error;
  }
  return undefined;
};

describe("a study file", () => {
  it("says which specs of which experiment, and how they are run", () => {
    expect(parseStudy(STUDY, "study.yml")).toEqual({
      experiment: "office",
      design: "lhs",
      n: 100,
      seed: 7,
      options: { optimise: "maximin" },
      space: { r_value: "loguniform:0.5,15" },
      fixed: { economizer: "none" },
      recursion: { factor: 4, max_depth: 1 },
      max_failures: "1%",
    });
  });

  it.each([
    ["sed: 7", 4, 1, 'there is no sed in a study. Did you mean "seed"?', "seed: 7"],
    ["  optimize: maximin", 6, 3, "there is no options.optimize in a study", "  optimise: maximin"],
    ["n: 0", 3, 1, "n: ", "n: 100"],
    ["design: lsh", 2, 1, "design: ", "design: lhs"],
    ["  factor: x", 12, 3, "recursion.factor: ", "  factor: 4"],
    ["max_failures: lots", 14, 1, "max_failures: ", "max_failures: 1%"],
  ])("with %j is refused by line and column", (wrong, line, column, problem, right) => {
    expect(problemOf(STUDY.replace(right, wrong))).toMatchObject({
      code: "invalid_input",
      message: expect.stringContaining(`study.yml, line ${line}, column ${column}: ${problem}`),
      details: { line, column },
    });
  });

  it.each([
    ["broken YAML", "experiment: [office", 1],
    ["a key twice", "experiment: a\nexperiment: b\n", 2],
  ])("with %s is refused", (_, text, line) => {
    expect(problemOf(text)).toMatchObject({
      message: expect.stringMatching(new RegExp(`study.yml.*(line ${line}|twice)`)),
    });
  });

  it.each(["", "text", "- a\n- b\n", "null"])("that holds %j is refused", (text) => {
    expect(problemOf(text)).toMatchObject({ code: "invalid_input" });
  });

  it("never ends a process, whatever it holds", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 200, unit: "grapheme" }), (text) => {
        const problem = problemOf(text);
        if (problem) expect(problem).toMatchObject({ code: "invalid_input" });
      }),
    );
  });

  it("that is written reads as what was asked for", () => {
    const request = { n: 64, seed: 3, space: { r_value: loguniform(0.5, 15), lpd: "uniform:1,2" }, fixed: { a: true } };
    expect(parseStudy(studyText("office", request), "x")).toEqual({
      experiment: "office",
      design: "sobol",
      n: 64,
      seed: 3,
      space: { r_value: "loguniform:0.5,15", lpd: "uniform:1,2" },
      fixed: { a: true },
    });
  });

  it("has a JSON Schema for editors, which the package holds", () => {
    const stored = fileURLToPath(new URL("../../templates/study.schema.json", import.meta.url));
    expect(JSON.parse(readFileSync(stored, "utf8")), "run: node scripts/study-schema.mjs").toEqual(studyJsonSchema());
  });
});
