import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

it("every edit of test/mutants still fits the source, once, and its tests exist", () => {
  const script = fileURLToPath(new URL("../scripts/test-mutants.mjs", import.meta.url));
  expect(execFileSync(process.execPath, [script, "--check"], { encoding: "utf8" })).toBe("");
});
