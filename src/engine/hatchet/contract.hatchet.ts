import { randomUUID } from "node:crypto";
import { describe, it } from "vitest";
import { engineSuite } from "../engine.testsuite.ts";
import type { Programs } from "../engine.ts";
import { hatchetEngine } from "./hatchet.ts";
import type { HatchetOptions } from "./options.ts";

const SLOTS = 3;
const { HATCHET_CLIENT_TOKEN: token, SCYTHE_TEST_VERBOSE: verbose } = process.env;

/** An engine with a worker in this process, apart from all others on the server by its names. */
async function engineWithWorker(programs: Programs) {
  const route = { code: {}, requires: {}, leafScheduleMs: 60_000, leafSilenceMs: 60_000 };
  const options: HatchetOptions = {
    namespace: `test${randomUUID().slice(0, 8)}`,
    routes: Object.fromEntries(Object.keys(programs).map((name) => [name, route])),
    worker: {
      name: "ScytheWorker--Test",
      slots: SLOTS,
      nodeSlots: 2,
      labels: {},
      doesFan: true,
      doesLeaf: true,
      graceMs: 2_000,
      additionalWorkflows: [],
    },
    nodeScheduleMs: 60_000,
    nodeExecutionMs: 60_000,
    log: (line) => verbose && console.error(line),
    sdkLog: (level, line) => verbose && console.error(level, line),
  };
  const engine = hatchetEngine(programs, options);
  return { engine, worker: await engine.serve() };
}

if (token) {
  engineSuite("hatchetEngine", SLOTS, engineWithWorker);
} else {
  describe("hatchetEngine against a real engine", () => {
    it.skip("SKIPPED: set HATCHET_CLIENT_TOKEN and HATCHET_CLIENT_HOST_PORT to run it", () => undefined);
  });
  process.stderr.write(
    "\nSKIPPED: no HATCHET_CLIENT_TOKEN, so the Hatchet engine is not tried against a real server.\n\n",
  );
}
