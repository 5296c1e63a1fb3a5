import { execFileSync } from "node:child_process";

/** A Python that can import these modules; undefined, with a warning, when there is none. */
export function findPython(modules: string): string | undefined {
  for (const candidate of [process.env.SCYTHE_TEST_PYTHON, "python3"]) {
    if (!candidate) continue;
    try {
      execFileSync(candidate, ["-c", `import ${modules}`], { stdio: "ignore" });
      return candidate;
    } catch {
      // the next one, perhaps
    }
  }
  console.warn(`SKIPPED: tests that need a Python with ${modules} (set SCYTHE_TEST_PYTHON)`);
  return undefined;
}
