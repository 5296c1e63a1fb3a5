import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openProject } from "scythe-ts";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { comparable, FICKLE, FicklePlace } from "./fickle.ts";
import { startHatchetStandIn } from "./servers/hatchet-stand-in.ts";

const folder = mkdtempSync(join(tmpdir(), "scythe-retry-hatchet-"));
const server = await startHatchetStandIn();
beforeAll(() => {
  for (const [name, value] of Object.entries(server.env)) vi.stubEnv(name, value);
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

it("a retry on Hatchet: its workers learn of specs and time limit from storage", async () => {
  const place = new FicklePlace(folder);
  place.mend("exits");
  const open = () => openProject(FICKLE, { storage: place.storage, engine: "hatchet", slots: 2 });
  await using elsewhere = await open(); // a worker knows of a run what it reads
  const worker = await elsewhere.serve();
  try {
    await using scythe = await open();
    const run = await scythe.allocate("fickle", place.specs(0, 12), { seed: 5 });
    expect((await run.result()).report!.failed_by_kind).toEqual({ error: 1, timeout: 1 });
    place.executions();
    const slower = await (await scythe.retry("fickle", { kind: "timeout", timeout: "30s" }))!.result();
    expect(place.executions()).toEqual([9]);
    expect(slower.report).toMatchObject({ succeeded: 11, failed: 1, generation: 1 });
    const more = await (await scythe.extend("fickle", place.specs(12, 16))).result();
    expect(place.executions()).toEqual([12, 13, 14, 15]);
    expect(more.report!.failed_by_kind).toEqual({ error: 1, invalid_output: 1 });
    place.mend("throws", "bad");
    const whole = await (await scythe.retry("fickle"))!.result();

    const calm = new FicklePlace(join(folder, "calm"));
    calm.mend("exits", "throws", "bad", "quick");
    await using inline = await openProject(FICKLE, { storage: calm.storage, engine: "inline" });
    const all = await (await inline.allocate("fickle", calm.specs(0, 16), { seed: 5 })).result();
    expect(await comparable(whole)).toEqual(await comparable(all));
  } finally {
    await worker.stop();
  }
}, 120_000);
