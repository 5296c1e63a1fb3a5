import { describeReal, ownNamespace, realEngine } from "../../../test/servers/real-hatchet.ts";
import { engineSuite } from "../engine.testsuite.ts";

const SLOTS = 3;

describeReal("hatchetEngine", () => {
  engineSuite("hatchetEngine", SLOTS, async (programs) => {
    const { engine } = realEngine(programs, { namespace: ownNamespace(), worker: { slots: SLOTS } });
    return { engine, worker: await engine.serve() };
  });
});
