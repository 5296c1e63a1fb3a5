import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { calmTables, expectWhole } from "./oracle.ts";
import { type Plan, Scene } from "./scene.ts";
import { CASES_MS, family, forEachCase, SEED } from "./seed.ts";

const CLOCK = fileURLToPath(new URL("./clock.mjs", import.meta.url));
const HOUR = 3_600_000;

family("jumps of the clock", () => {
  it(
    "by an hour, forth and back, change nothing",
    async () => {
      const plan: Plan = { specs: 40, ms: 10, flags: ["--chunk-size", "4"] };
      const calm = await calmTables(plan);
      await forEachCase("the clock jumps by an hour", { short: 1, full: 2 }, async (random, index) => {
        const scene = new Scene();
        const by = (SEED + index) % 2 === 0 ? HOUR : -HOUR;
        const jumping = (after: number, jump: number) => ({
          node: ["--import", CLOCK],
          env: { FAULT_CLOCK: JSON.stringify({ after, by: jump }) },
        });
        try {
          const first = scene.start(scene.runArgs(plan), jumping(random.below(1_000), by));
          setTimeout(() => first.child.kill("SIGKILL"), 500 + random.below(1_000)); // and the one that goes on lives before it
          await first.ended;
          const [run] = scene.runs();
          const second = scene.start(run ? ["resume", run] : scene.runArgs(plan), jumping(random.below(500), -by));
          const { code, stderr } = await second.ended;
          if (!/is already complete/.test(stderr)) expect(code, stderr).toBe(3);
          return { injected: 2, ...(await expectWhole(scene, scene.runs()[0]!, calm, plan)) };
        } finally {
          scene.remove();
        }
      });
    },
    CASES_MS,
  );
});
