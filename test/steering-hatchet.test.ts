import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { localStorage, openProject, type Run, type Scythe } from "scythe-ts";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { canonicalTables } from "./canonical.ts";
import { startHatchetStandIn } from "./servers/hatchet-stand-in.ts";
import { type How, STEERED, stateIn, steadySpecs, until } from "./steered.ts";

const root = mkdtempSync(join(tmpdir(), "scythe-steering-hatchet-"));
const server = await startHatchetStandIn();
beforeAll(() => {
  for (const [name, value] of Object.entries(server.env)) vi.stubEnv(name, value);
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await server.close();
  rmSync(root, { recursive: true, force: true });
});

interface Study {
  storage: string;
  run: Run;
  lines: () => string[];
  state: () => ReturnType<typeof stateIn>;
  /** The run as a process of its own would find it, on an engine. */
  found(engine: string): Promise<{ project: Scythe; run: Run } & AsyncDisposable>;
}

/** A run on the stand-in, with a worker in this process. */
async function onHatchet(
  count: number,
  options: { ms?: number; how?: (n: number) => How; maxFailures?: number },
  work: (study: Study) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(root, "study-"));
  const storage = join(folder, "data");
  const { specs, lines } = steadySpecs(folder, count, options.ms ?? 20, options.how);
  await using project = await openProject(STEERED, { storage, engine: "hatchet", slots: 2 });
  const worker = await project.serve();
  try {
    const { maxFailures } = options;
    const run = await project.allocate("steady", specs, {
      chunkSize: 10,
      ...(maxFailures !== undefined && { maxFailures }),
    });
    const found = async (engine: string) => {
      const own = await openProject(STEERED, { storage, engine, slots: 2 });
      const ownRun = await own.findRun(run.experimentId);
      return { project: own, run: ownRun, [Symbol.asyncDispose]: () => own.close() };
    };
    const state = () => stateIn(localStorage(storage), run.experimentId);
    await work({ storage, run, lines, state, found });
  } finally {
    await worker.stop();
  }
}

const COUNT = 600;

describe("a run on Hatchet", () => {
  it("is left to Hatchet while it runs there, is cancelled from elsewhere, and finished on the local engine", () =>
    onHatchet(COUNT, {}, async ({ run, lines, state, found }) => {
      await until(() => lines().length > 25, "25 specs");
      await using local = await found("local");
      await expect(local.run.resume()).rejects.toMatchObject({
        code: "conflict",
        message: expect.stringContaining("is already driven by Hatchet"),
      });
      const waiting = local.run.result().catch((error: unknown) => error);
      expect(await local.run.cancel()).toBe("driver");
      expect(await state()).toMatchObject({ status: "cancelled", epoch: 1 });
      expect(await waiting).toMatchObject({ code: "cancelled" });
      await expect(run.result()).rejects.toMatchObject({ code: "cancelled" });
      const before = lines().length;
      expect(before).toBeLessThan(COUNT);
      expect(await local.run.resume()).toBe("driven");
      const results = await local.run.result();
      expect(results.report).toMatchObject({ succeeded: COUNT, failed: 0, missing: 0 });
      expect((await canonicalTables(results)).scalars).toHaveLength(COUNT);
      expect(new Set(lines().map((line) => line.split(" ")[0])).size).toBe(COUNT);
      expect(lines().length).toBe(COUNT); // what Hatchet's workers had done was not done again
      expect(await state()).toMatchObject({ status: "complete", epoch: 2, engine: "local" });
    }));

  it("is paused and goes on", () =>
    onHatchet(COUNT, { ms: 10 }, async ({ run, lines, state, found }) => {
      await until(() => lines().length > 25, "25 specs");
      await using other = await found("hatchet");
      await other.run.pause();
      expect((await state()).status).toBe("paused");
      let seen = -1;
      await until(async () => {
        const before = seen;
        seen = lines().length;
        await new Promise((resolve) => setTimeout(resolve, 500));
        return before === seen;
      }, "a pause");
      expect(seen).toBeLessThan(COUNT);
      expect(await other.run.resume()).toBe("unpaused");
      expect((await other.run.result()).report).toMatchObject({ succeeded: COUNT, failed: 0 });
      await run.result();
      expect(new Set(lines()).size).toBe(lines().length);
    }));

  it("stops by itself when too many specs have failed", () =>
    onHatchet(
      COUNT,
      { how: (n) => (n % 3 === 0 ? "fails" : "well"), maxFailures: 8 },
      async ({ run, state, found }) => {
        await expect(run.result()).rejects.toMatchObject({
          code: "cancelled",
          message: expect.stringContaining("more than --max-failures allows (8)"),
        });
        expect(await state()).toMatchObject({ status: "cancelled", reason: expect.stringContaining("(8)") });
        await using other = await found("hatchet");
        await expect(other.run.result()).rejects.toMatchObject({ code: "cancelled" });
      },
    ));
});

describe("a run of the local engine", () => {
  it("is finished on Hatchet", async () => {
    const folder = mkdtempSync(join(root, "back-"));
    const storage = join(folder, "data");
    const { specs, lines } = steadySpecs(folder, 200, 10);
    await using local = await openProject(STEERED, { storage, slots: 2 });
    const run = await local.allocate("steady", specs, { chunkSize: 10 });
    await until(() => lines().length > 25, "25 specs");
    await run.cancel();
    const before = lines().length;
    await using cluster = await openProject(STEERED, { storage, engine: "hatchet", slots: 2 });
    const worker = await cluster.serve();
    try {
      const resumed = await cluster.resume(run.experimentId);
      expect((await resumed.result()).report).toMatchObject({ succeeded: 200, failed: 0, missing: 0 });
      expect(before).toBeLessThan(200);
      expect(lines().length).toBe(200);
    } finally {
      await worker.stop();
    }
  });
});
