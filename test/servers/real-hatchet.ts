import { randomUUID } from "node:crypto";
import { describe, it } from "vitest";
import type { Programs } from "../../src/engine/engine.ts";
import { type HatchetEngine, hatchetEngine } from "../../src/engine/hatchet/hatchet.ts";
import type { HatchetOptions, ProgramRoute, WorkerOptions } from "../../src/engine/hatchet/options.ts";

const { HATCHET_CLIENT_TOKEN: token, SCYTHE_TEST_VERBOSE: verbose } = process.env;

/** Tests against the Hatchet server that the environment names, or a loud word that there is none. */
export function describeReal(name: string, tests: () => void): void {
  if (token) {
    describe(`${name}, on a real Hatchet server`, tests);
    return;
  }
  describe(name, () => {
    it.skip("SKIPPED: set HATCHET_CLIENT_TOKEN and HATCHET_CLIENT_HOST_PORT to run it", () => undefined);
  });
  process.stderr.write(`\nSKIPPED: no HATCHET_CLIENT_TOKEN, so ${name} is not tried on a real Hatchet server.\n\n`);
}

/** Apart from all others on the server. */
export function ownNamespace(): string {
  return `test${randomUUID().slice(0, 8)}_`;
}

interface Given {
  namespace: string;
  route?: Partial<ProgramRoute>;
  worker?: Partial<WorkerOptions>;
  nodeScheduleMs?: number;
}

/** An engine of this process, and the lines that it has said. Several in one namespace are as several processes. */
export function realEngine(programs: Programs, given: Given): { engine: HatchetEngine; said: string[] } {
  const said: string[] = [];
  const route = { code: {}, requires: {}, leafScheduleMs: 60_000, leafSilenceMs: 60_000, ...given.route };
  const options: HatchetOptions = {
    connection: { token },
    namespace: given.namespace,
    routes: Object.fromEntries(Object.keys(programs).map((name) => [name, route])),
    worker: {
      name: "ScytheWorker--Test",
      slots: 3,
      nodeSlots: 2,
      labels: {},
      doesFan: true,
      doesLeaf: true,
      graceMs: 2_000,
      additionalWorkflows: [],
      ...given.worker,
    },
    nodeScheduleMs: given.nodeScheduleMs ?? 60_000,
    nodeExecutionMs: 60_000,
    log: (line) => {
      said.push(line);
      if (verbose) console.error(line);
    },
    sdkLog: (level, line) => verbose && console.error(level, line),
  };
  return { engine: hatchetEngine(programs, options), said };
}
