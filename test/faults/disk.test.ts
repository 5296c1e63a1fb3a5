import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { calmTables, expectWhole, type Tables } from "./oracle.ts";
import { type Plan, Scene } from "./scene.ts";
import { CASES_MS, drawn, family, forEachCase } from "./seed.ts";

const PLAN: Plan = { specs: 48, flags: ["--chunk-size", "6"] };
const INLINE = ["--engine", "inline"];
const DISK = mkdtempSync(join(tmpdir(), "scythe-disk-"));
const MOUNTED = mountSmallDisk();

interface Case {
  /** What lies on the full disk. */
  on: "storage" | "tmp";
  /** The kind of step before which it fills up; none = before the run begins. */
  before: string | undefined;
}

const CASES: Record<string, Case> = {
  "while it is allocated": { on: "storage", before: "link manifest" },
  "while parts are written": { on: "storage", before: "link part" },
  "while final tables are written": { on: "storage", before: "link final" },
  "with the scratch of allocation": { on: "tmp", before: undefined },
  "with the scratch of gathering": { on: "tmp", before: "link final" },
};

family("a full disk", () => {
  let calm: Tables;
  beforeAll(async () => {
    calm = await calmTables(PLAN);
  }, 120_000);
  afterAll(() => {
    if (MOUNTED) execFileSync("umount", [DISK]);
    rmSync(DISK, { recursive: true, force: true });
  });

  it.runIf(MOUNTED).each(drawn(Object.entries(CASES), 1))(
    "%s: it is named, nothing is half written, and the run goes on",
    async (name, { on, before }) => {
      await forEachCase(`a full disk ${name}`, { short: 1, full: 1 }, async (random) => {
        const scene = new Scene({ [on]: join(DISK, on) });
        const filler = join(DISK, "filler");
        mkdirSync(join(DISK, on), { recursive: true });
        try {
          if (before)
            await scene.watched([...scene.runArgs(PLAN), ...INLINE], { at: 1, kind: before, when: "before" }).ended;
          await scene.start(["list"]).ended; // takes away what the killed one had on the disk
          const args = () => (scene.runs()[0] ? ["resume", scene.runs()[0]!] : scene.runArgs(PLAN));
          let refused = 0;
          for (let pages = 0; ; pages += 1 + random.below(6)) {
            fill(filler, pages);
            const { code, stdout, stderr } = await scene.start([...args(), ...INLINE]).ended;
            if (isDone(code, stderr)) break; // what was left was enough
            refused++;
            expect(stderr, stdout).toMatch(/ENOSPC|[Nn]o space left on device/);
            expect(stderr, stdout).toMatch(/hint: .*free some space/);
            expect(code, stderr).toBe(4);
            if (refused < 3) continue;
            rmSync(filler); // as the hint says
            const again = await scene.start([...args(), ...INLINE]).ended;
            expect(isDone(again.code, again.stderr), again.stderr).toBe(true);
            break;
          }
          expect(refused).toBeGreaterThan(0);
          return { injected: refused, ...(await expectWhole(scene, scene.runs()[0]!, calm, PLAN)) };
        } finally {
          scene.remove();
          for (const left of [filler, join(DISK, on)]) rmSync(left, { recursive: true, force: true });
        }
      });
    },
    CASES_MS,
  );
});

/** There may have been room for the report, and none to note in the state that it stands. */
function isDone(code: number | null, stderr: string): boolean {
  return code === 3 || (code === 2 && stderr.includes("is already complete"));
}

function mountSmallDisk(): boolean {
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=4m", "tmpfs", DISK], { stdio: "pipe" });
    return true;
  } catch {
    console.warn("\n*** SKIPPED: faults of a full disk. Mounting a small one needs to be root (mount -t tmpfs).\n");
    return false;
  }
}

/** Takes all of the disk but some pages. */
function fill(filler: string, pages: number): void {
  rmSync(filler, { force: true });
  const { bavail, bsize } = statfsSync(DISK);
  writeFileSync(filler, Buffer.alloc(Math.max(0, (bavail - pages) * bsize)));
}
