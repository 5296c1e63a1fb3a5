import type { Registry } from "../../experiment/registry.ts";
import { captureOutput, withoutCapture } from "../task/captured-output.ts";
import { type ChunkServices, runChunk } from "../task/chunk.ts";
import type { SpecExecutor } from "../task/execute.ts";
import type { ChunkRunner } from "./runner.ts";

/**
 * Runs specs in this process, with their output captured. Breakpoints work, but a function that hangs or exits cannot
 * be stopped.
 */
export function inProcessRunner(registry: Registry): ChunkRunner {
  return {
    run: async (_slot, request, hooks) => {
      let executor: SpecExecutor | undefined;
      const services: ChunkServices = {
        emit: async (rows, removeDirs) => withoutCapture(() => hooks.onRows(rows, removeDirs)),
        sendLogs: (lines) => {
          for (const { sortIndex, message } of lines) hooks.onOutput({ sortIndex, source: "log", text: message });
        },
        onSpecStart: () => undefined,
        fetchUri: (uri) => withoutCapture(() => hooks.fetchUri(uri)),
        stopped: () => hooks.signal.aborted,
        bytesAtRest: undefined,
        onExecutor: (own) => {
          executor = own;
        },
      };
      const end = await captureOutput(
        (source, text) => hooks.onOutput({ sortIndex: executor?.current, source, text }),
        () => runChunk(registry.get(request.experiment), request, services),
      );
      return { type: "ended", ...end };
    },
    warm: async () => undefined,
    close: async () => undefined,
  };
}
