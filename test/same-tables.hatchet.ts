import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openProject } from "scythe-ts";
import { afterAll, expect, it, vi } from "vitest";
import { generatedWeather } from "../examples/building-energy/generated-weather.ts";
import { officeSpecs } from "../examples/building-energy/specs.ts";
import { canonicalTables } from "./canonical.ts";
import { describeReal, ownNamespace } from "./servers/real-hatchet.ts";

const PROJECT = fileURLToPath(new URL("../examples/building-energy", import.meta.url));

describeReal("building_energy", () => {
  const storage = mkdtempSync(join(tmpdir(), "scythe-same-tables-"));
  afterAll(() => {
    vi.unstubAllEnvs();
    rmSync(storage, { recursive: true, force: true });
  });

  async function tables(engine: string, options: object = {}) {
    await using scythe = await openProject(PROJECT, { storage: join(storage, engine), engine, slots: 2 });
    const worker = engine === "hatchet" ? await scythe.serve() : undefined;
    const specs = [...officeSpecs(generatedWeather())].filter((_, i) => i % 24 === 0);
    const run = await scythe.allocate("building_energy", specs, { seed: 1, ...options });
    const results = await run.result();
    await worker?.stop();
    return canonicalTables(results);
  }

  it("has the same tables as on the local engine, in one level and in a tree", async () => {
    vi.stubEnv("HATCHET_CLIENT_NAMESPACE", ownNamespace());
    const local = await tables("local");
    expect(local.scalars).toHaveLength(48);
    expect(await tables("hatchet")).toEqual(local);
    expect(await tables("hatchet", { recursion: { factor: 3, maxDepth: 2 } })).toEqual(local);
  });
});
