import { execFileSync } from "node:child_process";

/** A Python with pandas; undefined when there is none. */
export function findPython(): string | undefined {
  for (const candidate of [process.env.SCYTHE_TEST_PYTHON, "python3"]) {
    if (!candidate) continue;
    try {
      execFileSync(candidate, ["-c", "import pandas, pyarrow"], { stdio: "ignore" });
      return candidate;
    } catch {
      // the next one, perhaps
    }
  }
  return undefined;
}
