import type { Environment } from "../run/environment.ts";

/** One field of the environment that is not what it was. */
export interface EnvironmentChange {
  what: string;
  before: string | null;
  after: string | null;
}

/** Everything that differs between two environments, packages one by one. */
export function environmentChanges(before: Environment, after: Environment): EnvironmentChange[] {
  const plain = ["scythe", "node", "platform", "lockfile_sha256"] as const;
  const packages = [...new Set([...Object.keys(before.packages ?? {}), ...Object.keys(after.packages ?? {})])].sort();
  return [
    ...plain.map((what) => ({ what: what as string, before: textOf(before[what]), after: textOf(after[what]) })),
    ...packages.map((name) => ({
      what: `package ${name}`,
      before: before.packages?.[name] ?? null,
      after: after.packages?.[name] ?? null,
    })),
  ].filter((change) => change.before !== change.after);
}

type Code = Pick<Environment, "git_commit" | "git_dirty">;

/** `same`: of one clean commit; `unknown`: not in git, or with changes that no commit holds. */
export function codeChange(before: Code, after: Code): "same" | "changed" | "unknown" {
  if (!before.git_commit || !after.git_commit) return "unknown";
  if (before.git_commit !== after.git_commit) return "changed";
  return before.git_dirty || after.git_dirty ? "unknown" : "same";
}

/** `git abc123 as then`, `git abc123 then, def456 now`, … */
export function sayCode(then: Code, now: Code): string {
  const change = codeChange(then, now);
  if (change === "same") return `git ${commitText(then)}, as then`;
  return `git ${commitText(then)} then, ${commitText(now)} now`;
}

/** A commit in short, as text: `3f2a91c0de44 with uncommitted changes`; `unknown` outside of git. */
export function commitText({ git_commit, git_dirty }: Pick<Environment, "git_commit" | "git_dirty">): string {
  if (!git_commit) return "unknown";
  return `${git_commit.slice(0, 12)}${git_dirty ? " with uncommitted changes" : ""}`;
}

/** Why the same spec may give something else. */
export function whyDifferent(before: Environment, after: Environment): string {
  const code = codeChange(before, after);
  if (code === "changed") return `the code changed (${sayCode(before, after)}), or the function is not deterministic`;
  const changes = environmentChanges(before, after);
  if (changes.length > 0) {
    const list = changes.slice(0, 5).map((change) => `${change.what} ${change.before} → ${change.after}`);
    return `the environment changed (${list.join(", ")}), or the function is not deterministic`;
  }
  if (code === "same") {
    return `the code is the same (git ${commitText(before)}): the function is not deterministic, or reads what is not in its spec`;
  }
  return `the function is not deterministic, or the code changed (${sayCode(before, after)}: it cannot be told)`;
}

function textOf(value: unknown): string | null {
  return value === null || value === undefined ? null : String(value);
}
