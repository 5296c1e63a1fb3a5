import type { Registry } from "../experiment/registry.ts";
import { runChunk } from "./chunk.ts";
import type { ChunkRunner } from "./runner.ts";

/** Specs in this very process: breakpoints hit, but nothing can stop a function that hangs or exits. */
export function inProcessRunner(registry: Registry): ChunkRunner {
  return {
    run: async (_slot, request, hooks) => {
      const end = await runChunk(registry.get(request.experiment), request, {
        emit: async (rows, removeDirs) => hooks.onRows(rows, removeDirs),
        fetchUri: hooks.fetchUri,
        stopped: () => hooks.signal.aborted,
        bytesAtRest: undefined,
        onExecutor: () => undefined,
      });
      return { type: "ended", ...end };
    },
    warm: async () => undefined,
    close: async () => undefined,
  };
}
