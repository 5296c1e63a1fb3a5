import { afterAll, expect, it } from "vitest";
import { startFaultProxy } from "../servers/fault-proxy.ts";
import { startS3Server } from "../servers/s3-server.ts";
import { calmTables, expectWhole } from "./oracle.ts";
import { type Plan, Scene } from "./scene.ts";
import { CASES_MS, family, forEachCase, SEED } from "./seed.ts";

const PLAN: Plan = { specs: 40, flags: ["--chunk-size", "8"] };
const server = await startS3Server();
/** 30 % of all requests; those that merely fall silent would take half a minute each. */
const HARM = { slowDown: 0.09, serverError: 0.06, conflict: 0.04, resetBefore: 0.05, resetAfter: 0.04, truncate: 0.02 };

family("a bucket that fails", () => {
  afterAll(() => server?.stop());

  it.runIf(server)(
    "three requests in ten, while the coordinator is killed: the tables are those of a calm run",
    async () => {
      const calm = await calmTables(PLAN);
      Object.assign(process.env, server!.env); // the oracle reads the bucket without harm
      await forEachCase(
        "30 % of S3 requests harmed, coordinator killed",
        { short: 1, full: 1 },
        async (random, index) => {
          const proxy = await startFaultProxy(server!.endpoint, { seed: SEED + index, rates: HARM });
          const bucket = await server!.createBucket();
          const scene = new Scene({
            storage: `s3://${bucket}/p`,
            env: { ...server!.env, AWS_ENDPOINT_URL_S3: proxy.endpoint },
          });
          let kills = 0;
          try {
            let run = "";
            for (let round = 0; ; round++) {
              const { child, ended } = scene.start(run ? ["resume", run] : scene.runArgs(PLAN));
              child.stdout!.on("data", (text) => {
                run ||= String(text).trim();
              });
              if (round < 2) setTimeout(() => child.kill("SIGKILL"), 1_500 + random.below(2_500));
              const { code, signal, stderr } = await ended;
              if (signal === "SIGKILL") kills++;
              else if (code === 3 || /is already complete/.test(stderr)) break;
              else expect(round, stderr).toBeLessThan(8);
            }
            const harmed = Object.values(proxy.injected).reduce((sum, count) => sum + count, 0);
            expect(harmed).toBeGreaterThan(10);
            return { injected: harmed + kills, ...(await expectWhole(scene, run, calm, PLAN)) };
          } finally {
            await proxy.close();
            scene.remove();
          }
        },
      );
    },
    CASES_MS,
  );
});
