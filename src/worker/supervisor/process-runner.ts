import { dirname } from "node:path";
import { ScytheError } from "../../errors.ts";
import { packageFile } from "../../package.ts";
import { Child } from "./child.ts";
import type { ChunkRunner } from "./runner.ts";

/**
 * Runs specs in child processes, one per slot, reused from chunk to chunk.
 * @param passEnv environment variables that they get besides the standard ones
 */
export function processRunner(configPath: string, environment: () => NodeJS.ProcessEnv): ChunkRunner {
  const children = new Map<number, Child>();
  let closed = false;
  const killAll = () => {
    for (const child of children.values()) child.killNow();
  };
  process.once("exit", killAll); // a program that exits without closing leaves no specs running
  return {
    run: async (slot, request, hooks) => {
      const child = childOf(slot);
      try {
        const end = await child.run(request, hooks);
        if (end.type === "ended" ? end.dirty : !child.dead) await retire(slot, child);
        return end;
      } catch (error) {
        await retire(slot, child);
        throw error;
      }
    },
    warm: async (slots) => {
      await Promise.all(Array.from({ length: slots }, (_, slot) => childOf(slot).warm()));
    },
    close: async () => {
      closed = true;
      await Promise.all([...children.values()].map((child) => child.close()));
      children.clear();
      process.off("exit", killAll);
    },
  };

  function childOf(slot: number): Child {
    if (closed) throw new ScytheError("engine", "The project is closed and starts no more worker processes");
    let child = children.get(slot);
    if (!child || child.dead) {
      child = new Child(packageFile("dist/worker/process.js"), configPath, dirname(configPath), environment());
      children.set(slot, child);
    }
    return child;
  }

  async function retire(slot: number, child: Child): Promise<void> {
    children.delete(slot);
    await child.close();
  }
}
