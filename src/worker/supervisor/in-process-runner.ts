import type { Registry } from "../../experiment/registry.ts";
import { capturingOutput, notCaptured } from "../task/captured-output.ts";
import { type ChunkServices, runChunk } from "../task/chunk.ts";
import type { SpecExecutor } from "../task/execute.ts";
import type { ChunkRunner } from "./runner.ts";

/** Specs in this very process, what they print kept from its output: breakpoints hit, but nothing can stop a function that hangs or exits. */
export function inProcessRunner(registry: Registry): ChunkRunner {
  return {
    run: async (_slot, request, hooks) => {
      let executor: SpecExecutor | undefined;
      const services: ChunkServices = {
        emit: async (rows, removeDirs) => notCaptured(() => hooks.onRows(rows, removeDirs)),
        say: (lines) => {
          for (const { sortIndex, message } of lines) hooks.onSaid({ sortIndex, source: "log", text: message });
        },
        begins: () => undefined,
        fetchUri: (uri) => notCaptured(() => hooks.fetchUri(uri)),
        stopped: () => hooks.signal.aborted,
        bytesAtRest: undefined,
        onExecutor: (own) => {
          executor = own;
        },
      };
      const end = await capturingOutput(
        (source, text) => hooks.onSaid({ sortIndex: executor?.current, source, text }),
        () => runChunk(registry.get(request.experiment), request, services),
      );
      return { type: "ended", ...end };
    },
    warm: async () => undefined,
    close: async () => undefined,
  };
}
