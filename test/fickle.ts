import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { openProject, Results } from "scythe-ts";
import { expect } from "vitest";
import { canonicalTables } from "./canonical.ts";

/** A project whose specs fail until they are mended. */
export const FICKLE = fileURLToPath(new URL("./fixtures/fickle", import.meta.url));

const TROUBLES: Record<number, string> = { 4: "throws", 9: "slow", 13: "bad", 17: "throws", 21: "slow", 26: "exits" };

/** Where specs of that project run: six of the first thirty fail there until it is told that they do no more. */
export class FicklePlace {
  readonly mended: string;
  readonly storage: string;

  constructor(folder: string) {
    this.mended = join(folder, "mended");
    this.storage = join(folder, "data");
    mkdirSync(this.mended, { recursive: true });
    writeFileSync(join(this.mended, "ledger"), "");
  }

  mend(...troubles: string[]): void {
    for (const trouble of troubles) writeFileSync(join(this.mended, trouble), "");
  }

  /** Specs `from` … `to` − 1. */
  specs(from = 0, to = 30) {
    return Array.from({ length: to - from }, (_, i) => {
      const n = from + i;
      return {
        n,
        trouble: (TROUBLES[n] ?? "none") as "none",
        mended: this.mended,
        when: new Date(Date.UTC(2024, 0, 1, 0, 0, n, 123)),
        big: 2n ** 61n + BigInt(n),
        ...(n % 2 ? { maybe: n / 2 } : {}),
      };
    });
  }

  /** Which specs ran since the last look. One that kills its process is run once more, to be known. */
  executions(): number[] {
    const ledger = join(this.mended, "ledger");
    const ran = readFileSync(ledger, "utf8").split("\n").filter(Boolean).map(Number);
    writeFileSync(ledger, "");
    return [...new Set(ran)].sort((a, b) => a - b);
  }
}

/** Canonical tables, whichever place the specs name. */
export async function comparable(results: Results): Promise<Record<string, unknown[]>> {
  const tables = await canonicalTables(results);
  const text = JSON.stringify(tables, (_, value) => (typeof value === "bigint" ? `${value}n` : value));
  return JSON.parse(text.replaceAll(/"(?:[^"\\]|\\.)*\/mended"/g, '"mended"'));
}

/** Every file of the run, its output files among them, has the recorded hash. */
export async function assertVerified(scythe: Awaited<ReturnType<typeof openProject>>, run: string): Promise<void> {
  const { problems, checks } = await scythe.audit.verify(run);
  expect(problems).toEqual([]);
  const files = checks.find(({ name }) => name === "files")!;
  expect(files.says).toContainEqual(expect.stringMatching(/^(\d+) of \1 output files have theirs$/));
  expect(files.status).toBe("ok");
}

/** Runs `drive.mjs`; what it said last, and whether it was killed. */
export async function drive(...args: string[]): Promise<{ said: string; killed: boolean }> {
  const child = spawn(process.execPath, [join(FICKLE, "drive.mjs"), ...args], { stdio: ["ignore", "pipe", "inherit"] });
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (text) => {
    said += text;
  });
  const [, signal] = await once(child, "close");
  return { said: said.trim(), killed: signal === "SIGKILL" };
}

/** Specs as text: JSON has no dates and no 64-bit integers. */
export function specsText(specs: readonly object[]): string {
  return JSON.stringify(specs, (_, value) => (typeof value === "bigint" ? value.toString() : value));
}
