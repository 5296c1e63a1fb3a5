import { dirname } from "node:path";
import { expect, it } from "vitest";
import { type Plan, Scene, type Step } from "./scene.ts";
import { family } from "./seed.ts";

const PLAN: Plan = { specs: 48, flags: ["--chunk-size", "6", "--factor", "2", "--max-depth", "1"] };

/** Power cannot be cut here; the order of what a process asks of the system can be watched. */
family("durability", () => {
  it("a file's bytes are on disk before it has its name, and its folder before anything relies on it", async () => {
    const scene = new Scene();
    try {
      const going = scene.watched([...scene.runArgs(PLAN), "--engine", "inline"]);
      expect((await going.ended).code).toBe(3);
      const steps = going.steps();
      const shown = steps.flatMap((step, at) => (isShown(step, scene) ? [{ ...step, at }] : []));
      expect(shown.length).toBeGreaterThan(50);
      for (const { path, from, at } of shown) {
        const synced = from !== undefined && syncedBefore(steps.slice(0, at)).has(from);
        expect(synced, `${path} was shown before its bytes were synced`).toBe(true);
        const after = steps
          .slice(at)
          .some((step) => step.kind.startsWith("sync-folder") && step.path === dirname(path));
        expect(after, `the folder of ${path} was not synced after it`).toBe(true);
      }
      const folders = new Set(shown.map(({ path }) => dirname(path)));
      for (let folder of folders) {
        for (; folder.length > scene.storage.length; folder = dirname(folder)) {
          const synced = steps.some((step) => step.kind.startsWith("sync-folder") && step.path === dirname(folder));
          expect(synced, `the folder that holds ${folder} was never synced`).toBe(true);
        }
      }
    } finally {
      scene.remove();
    }
  }, 120_000);
});

/** The names by then of files whose bytes are on disk: a file keeps them when it, or the folder it is in, is renamed. */
function syncedBefore(steps: readonly Step[]): Set<string> {
  const synced = new Set<string>();
  for (const { kind, path, from } of steps) {
    if (kind === "sync unfinished") synced.add(path);
    if (!kind.startsWith("rename") || from === undefined) continue;
    for (const name of [...synced]) {
      if (name === from || name.startsWith(`${from}/`)) synced.add(path + name.slice(from.length));
    }
  }
  return synced;
}

/** A file gets the name by which it counts. */
function isShown({ kind, path }: Step, scene: Scene): boolean {
  return /^(link|rename) /.test(kind) && path.startsWith(scene.storage) && !path.includes(".scythe-tmp");
}
