import { describe, expect, test } from "vitest";
import { ScytheError } from "../../errors.ts";
import { exitCodeOf } from "../exit.ts";
import { errorJson, errorText, ownFrames } from "./error-text.ts";
import { PLAIN } from "./style.ts";

describe("errorText", () => {
  test("says what happened and what to do next, without a stack", () => {
    const error = new ScytheError("not_found", "No run of a", { hint: "Look closer." });
    expect(errorText(error, PLAIN, false)).toBe("error: No run of a\nhint: Look closer.");
    expect(errorText(error, PLAIN, true)).toContain("    at ");
  });

  test("shows the stack of what nobody foresaw", () => {
    expect(errorText(new TypeError("x is not a function"), PLAIN, false)).toMatch(
      /^error: x is not a function\n(.*\n)+ {4}at (.*\n)+hint: .*report/,
    );
    expect(errorText("only text", PLAIN, false)).toContain("error: only text");
  });

  test("shows where in the researcher's code a foreseen error began", () => {
    const cause = new Error("no scales");
    cause.stack = [
      "Error: no scales",
      "    at weigh (/home/me/study/lib.ts:6:9)",
      "    at node:internal/modules/run_main:117:5",
      "    at load (/home/me/study/node_modules/jiti/dist/jiti.cjs:1:2)",
      `    at importModule (${new URL("../config.ts", import.meta.url).pathname}:3:4)`,
    ].join("\n");
    const error = new ScytheError("invalid_definition", "could not be loaded", { cause });
    expect(ownFrames(error)).toEqual(["    at weigh (/home/me/study/lib.ts:6:9)"]);
    expect(ownFrames(new ScytheError("engine", "chunks", { cause: error }))).toHaveLength(1);
  });
});

test("errorJson is one shape for every error", () => {
  const error = new ScytheError("invalid_specs", "bad", { details: { count: 2n, at: new Date(0) } });
  expect(errorJson(error)).toEqual({
    error: { code: "invalid_specs", message: "bad", hint: null, details: { count: 2, at: "1970-01-01T00:00:00.000Z" } },
  });
  expect(errorJson(new Error("oh"))).toEqual({ error: { code: "internal", message: "oh", hint: null, details: {} } });
});

test("every code of an error has its exit code", () => {
  const codes = [
    "invalid_definition",
    "invalid_specs",
    "invalid_input",
    "not_found",
    "conflict",
    "storage",
    "engine",
    "timeout",
    "cancelled",
    "internal",
  ] as const;
  expect(codes.map((code) => exitCodeOf(new ScytheError(code, "")))).toEqual([2, 2, 2, 2, 2, 4, 4, 5, 5, 1]);
  expect(exitCodeOf(new Error("anything else"))).toBe(1);
});
