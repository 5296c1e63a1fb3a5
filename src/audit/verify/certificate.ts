import type { Environment } from "../../run/environment.ts";

export const CHECKS = ["descriptions", "files", "counts", "tables", "references", "schema", "code", "sample"] as const;
/** The things that are checked. */
export type CheckName = (typeof CHECKS)[number];

/** Something that is wrong with a run. */
export interface Problem {
  check: CheckName;
  /** Within the run; null for what concerns no one file. */
  file: string | null;
  problem: string;
}

/** One of the things that were checked, and how it came out. */
export interface Check {
  name: CheckName;
  /** `unchecked`: nothing wrong was found, but not all could be looked at; `says` tells what and why. */
  status: "ok" | "failed" | "unchecked" | "not_asked";
  says: string[];
}

/** A value that came out otherwise when its spec was run again. */
export interface Difference {
  sort_index: number;
  /** `scalars`, `result_file_refs`, or a table of the experiment. */
  table: string;
  /** Of a table with many rows a spec. */
  sort_subindex: number | null;
  column: string;
  stored: string | null;
  again: string | null;
}

/** What came of running some specs again. */
export interface SampleOutcome {
  asked: number;
  /** Draws the same specs again. */
  seed: number;
  sort_indexes: number[];
  same: number;
  different: number;
  differences: Difference[];
  /** Why something may differ: the function, or the code. */
  because: string | null;
}

/** A file that was read, and its hash. */
export interface CheckedFile {
  path: string;
  bytes: number;
  sha256: string;
  /** False when the run recorded no hash: what it is now is all that can be said. */
  recorded: boolean;
}

/** What was checked of a run, when, by what, and how it came out. */
export interface Certificate {
  experiment_id: string;
  uri: string;
  result: "verified" | "failed";
  verified_at: string;
  seconds: number;
  /** What looked. */
  by: Pick<Environment, "scythe" | "node" | "platform" | "git_commit" | "git_dirty">;
  /** What made the run, as it says itself. */
  made_by: Pick<Environment, "scythe" | "node" | "platform" | "git_commit" | "git_dirty"> | null;
  seed: number | null;
  generation: number | null;
  allocated: number | null;
  succeeded: number | null;
  failed: number | null;
  missing: number | null;
  problems: Problem[];
  checks: Check[];
  sample: SampleOutcome | null;
  /** Output files are not among them: the record with their hashes is. */
  files: CheckedFile[];
}

/** Collects what a verification finds. */
export class Findings {
  readonly problems: Problem[] = [];
  readonly files: CheckedFile[] = [];
  readonly #says = new Map<CheckName, string[]>();
  readonly #unchecked = new Set<CheckName>();

  bad(check: CheckName, file: string | null, problem: string): void {
    this.problems.push({ check, file, problem });
    this.#of(check);
  }

  say(check: CheckName, text: string): void {
    this.#of(check).push(text);
  }

  unchecked(check: CheckName, text: string): void {
    this.#unchecked.add(check);
    this.say(check, text);
  }

  checks(): Check[] {
    return CHECKS.map((name) => ({ name, status: this.#status(name), says: this.#says.get(name) ?? [] }));
  }

  /** Does what may fail on a damaged file; that it did is a finding. */
  async attempt<T>(check: CheckName, file: string | null, work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      this.bad(check, file, `cannot be read: ${firstLine(error)}`);
      return undefined;
    }
  }

  #status(name: CheckName): Check["status"] {
    if (this.problems.some((problem) => problem.check === name)) return "failed";
    if (this.#unchecked.has(name)) return "unchecked";
    return this.#says.has(name) ? "ok" : "not_asked";
  }

  #of(check: CheckName): string[] {
    const says = this.#says.get(check) ?? [];
    this.#says.set(check, says);
    return says;
  }
}

function firstLine(error: unknown): string {
  return String((error as Error)?.message ?? error).split("\n")[0]!;
}
