import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** A project whose one experiment has something of everything that a run can hold. */
export const MEASURED = fileURLToPath(new URL("./fixtures/measured", import.meta.url));

/** Specs of it; every seventh throws, every eleventh gives what the schema refuses. */
export function measuredSpecs(folder: string, count: number) {
  mkdirSync(folder, { recursive: true });
  const sources = ["one", "two"].map((name) => {
    const path = join(folder, `${name}.txt`);
    writeFileSync(path, `from ${name}`);
    return path;
  });
  return Array.from({ length: count }, (_, n) => ({
    n,
    big: 2n ** 60n + BigInt(n),
    when: new Date(Date.UTC(2026, 0, 1, 0, 0, n)),
    ratio: n % 5 === 0 ? null : n / 7,
    tags: n % 2 === 0 ? [] : [`t${n}`, "é 😀"],
    options: { deep: BigInt(n), ...(n % 3 === 0 ? { maybe: "x" } : {}) },
    source: sources[n % 2]!,
    kind: n % 7 === 6 ? ("throws" as const) : n % 11 === 10 ? ("nan" as const) : ("plain" as const),
  }));
}
