import { execFileSync } from "node:child_process";

/** A Python that has these modules; undefined, with a warning, when there is none. They are looked up, not imported: that takes a second. */
export function findPython(...modules: string[]): string | undefined {
  const program = `import importlib.util as u; assert all(u.find_spec(m) for m in ${JSON.stringify(modules)})`;
  for (const candidate of [process.env.SCYTHE_TEST_PYTHON, "python3"]) {
    if (!candidate) continue;
    try {
      execFileSync(candidate, ["-c", program], { stdio: "ignore" });
      return candidate;
    } catch {
      // the next one, perhaps
    }
  }
  console.warn(`SKIPPED: tests that need a Python with ${modules.join(", ")} (set SCYTHE_TEST_PYTHON)`);
  return undefined;
}
