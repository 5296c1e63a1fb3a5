import { describe, expect, it } from "vitest";
import type { Environment } from "../run/environment.ts";
import { codeChange, environmentChanges, whyDifferent } from "./code-change.ts";

const before: Environment = {
  scythe: "1.0.0",
  node: "v20.19.0",
  platform: "linux-x64",
  git_commit: "a".repeat(40),
  git_dirty: false,
  lockfile_sha256: "l",
  packages: { zod: "4.1.0", ms: "2.1.3" },
};

describe("what changed between two environments", () => {
  it("is the code, when the commit is another; unknown, when a commit does not tell", () => {
    expect(codeChange(before, before)).toBe("same");
    expect(codeChange(before, { ...before, git_commit: "b".repeat(40) })).toBe("changed");
    expect(codeChange(before, { ...before, git_dirty: true })).toBe("unknown");
    expect(codeChange(before, { ...before, git_commit: null })).toBe("unknown");
  });

  it("is told package by package", () => {
    const after = { ...before, node: "v22.0.0", packages: { zod: "4.2.0", yaml: "2.0.0" } };
    expect(environmentChanges(before, after)).toEqual([
      { what: "node", before: "v20.19.0", after: "v22.0.0" },
      { what: "package ms", before: "2.1.3", after: null },
      { what: "package yaml", before: null, after: "2.0.0" },
      { what: "package zod", before: "4.1.0", after: "4.2.0" },
    ]);
    expect(environmentChanges(before, before)).toEqual([]);
  });

  it("says why a spec may give something else", () => {
    expect(whyDifferent(before, before)).toMatch(/^the code is the same .* not deterministic/);
    expect(whyDifferent(before, { ...before, git_commit: "b".repeat(40) })).toMatch(/^the code changed .*aaa.*bbb/);
    expect(whyDifferent(before, { ...before, node: "v22.0.0" })).toMatch(/^the environment changed \(node v20/);
    expect(whyDifferent(before, { ...before, git_dirty: true })).toMatch(/cannot be told/);
  });
});
