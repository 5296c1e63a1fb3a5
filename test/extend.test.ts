import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defineExperiment, openProject } from "scythe-ts";
import { afterAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { collect } from "./collect.ts";
import { assertVerified, comparable, FICKLE, FicklePlace } from "./fickle.ts";

const folder = mkdtempSync(join(tmpdir(), "scythe-extend-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Input files: two names for one content, and one name for two contents. */
function sources(): Record<"a" | "b" | "sameAsA" | "otherA", string> {
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const inner = mkdtempSync(join(folder, "inner-"));
  writeFileSync(join(inner, "a.txt"), "other");
  return {
    a: file("a.txt", "A"),
    b: file("b.txt", "B"),
    sameAsA: file("same.txt", "A"),
    otherA: join(inner, "a.txt"),
  };
}

describe("an extended run", () => {
  it("is equal to one run of all specs, and computes only the new", async () => {
    const place = new FicklePlace(join(folder, "extended"));
    const { a, b, sameAsA, otherA } = sources();
    const old = place.specs(0, 20).map((spec) => ({ ...spec, source: spec.n % 2 ? a : b }));
    const more = place.specs(20, 30).map((spec) => ({ ...spec, source: spec.n % 2 ? sameAsA : otherA }));
    await using scythe = await openProject(FICKLE, { storage: place.storage });
    const first = await scythe.allocate("fickle", old, { seed: 5, chunkSize: 7 });
    expect((await first.result()).report).toMatchObject({ succeeded: 16, failed: 4 });
    place.executions();

    const run = await scythe.extend("fickle", more);
    const results = await run.result();
    expect(place.executions()).toEqual(Array.from({ length: 10 }, (_, i) => 20 + i));
    expect(run.experimentId).toMatch(/^fickle\/v1\.0\.1\//);
    expect(run.manifest.scythe).toMatchObject({
      seed: 5,
      chunk_size: 7,
      spec_count: 30,
      carried_count: 20,
      parent_run: first.experimentId,
    });
    expect(results.report).toMatchObject({ allocated: 30, succeeded: 24, failed: 6, missing: 0, generation: 0 });
    const artifacts = await collect(scythe.storage.list(`${run.experimentId}/artifacts/`));
    expect(artifacts.map(({ key }) => key.replace(/^.*\//, "").replace(/-[0-9a-f]{8}/, "-hash"))).toEqual([
      "a-hash.txt",
      "a.txt",
      "b.txt",
    ]);

    // from now on it stands by itself
    rmSync(join(place.storage, ...first.experimentId.split("/")), { recursive: true });
    for await (const { sortIndex, uri, path } of results.files()) {
      expect(uri).toContain(run.experimentId);
      expect(readFileSync(path!, "utf8")).toBe(`note of ${sortIndex}`);
    }
    const ids = await results.query(
      "SELECT experiment_id, min(sort_index) AS low, max(sort_index) AS high FROM scalars GROUP BY 1 ORDER BY 2",
    );
    expect(ids).toEqual([
      { experiment_id: first.experimentId, low: 0, high: 19 },
      { experiment_id: run.experimentId, low: 20, high: 29 },
    ]);
    const extended = await comparable(results);
    await assertVerified(scythe, run.experimentId);
    place.mend("throws", "bad", "exits", "quick");
    const whole = await (await scythe.retry("fickle"))!.result();
    expect(whole.report).toMatchObject({ allocated: 30, succeeded: 30, failed: 0, output_artifacts: { rows: 10 } });
    await assertVerified(scythe, run.experimentId);

    const calm = new FicklePlace(join(folder, "calm"));
    await using other = await openProject(FICKLE, { storage: calm.storage });
    const all = [...old, ...more].map((spec) => ({ ...spec, mended: calm.mended }));
    expect(extended).toEqual(await comparable(await (await other.allocate("fickle", all, { seed: 5 })).result()));
    calm.mend("throws", "bad", "exits", "quick");
    const expected = await (await other.allocate("fickle", all, { seed: 5 })).result();
    expect(await comparable(whole)).toEqual(await comparable(expected));
  }, 120_000);

  const loose = (output = z.object({ y: z.number() })) =>
    defineExperiment({
      name: "loose",
      input: z.looseObject({ n: z.number() }),
      output,
      computedFeatures: ({ n }) => ({ size: n < 10 ? n : `${n}` }),
      run: ({ n }) => ({ y: 2 * (n as number) }) as never,
    });

  it("takes further fields of a loose schema, and refuses one of another type by name", async () => {
    await using scythe = await openProject({ experiments: [loose()], storage: join(folder, "loose") });
    const first = await scythe.allocate("loose", [{ n: 1, colour: "red" }, { n: 2 }], { seed: 1 });
    await first.result();
    await expect(scythe.extend("loose", [{ n: 3, colour: 7 }])).rejects.toMatchObject({
      code: "invalid_specs",
      message: expect.stringContaining("colour = 7: is a number, but an earlier spec has a string there"),
    });
    const results = await (
      await scythe.extend("loose", [
        { n: 11, depth: 4 },
        { n: 12, colour: "blue" },
      ])
    ).result();
    const rows = await results.query("SELECT sort_index, n, colour, depth, size, y FROM scalars");
    expect(rows).toEqual([
      { sort_index: 0, n: 1, colour: "red", depth: null, size: "1", y: 2 },
      { sort_index: 1, n: 2, colour: null, depth: null, size: "2", y: 4 },
      { sort_index: 2, n: 11, colour: null, depth: 4, size: "11", y: 22 },
      { sort_index: 3, n: 12, colour: "blue", depth: null, size: "12", y: 24 },
    ]);
  });

  it("has the next free patch version, and can be extended again", async () => {
    await using scythe = await openProject({ experiments: [loose()], storage: join(folder, "versions") });
    await (await scythe.allocate("loose", [{ n: 1 }])).result();
    await (await scythe.allocate("loose", [{ n: 2 }])).result();
    const once = await scythe.extend("loose@v1.0.0", [{ n: 3 }]);
    await once.result();
    const twice = await scythe.extend("loose@v1.0.0", [{ n: 4 }]);
    await twice.result();
    const again = await scythe.extend(once.experimentId, [{ n: 5 }]);
    const results = await again.result();
    const versions = [once, twice, again].map(({ experimentId }) => experimentId.split("/")[1]);
    expect(versions).toEqual(["v1.0.1", "v1.0.2", "v1.0.3"]);
    const rows = await results.query<{ n: number; experiment_id: string }>("SELECT n, experiment_id FROM scalars");
    expect(rows.map(({ n, experiment_id }) => [n, experiment_id.split("/")[1]])).toEqual([
      [1, "v1.0.0"],
      [3, "v1.0.1"],
      [5, "v1.0.3"],
    ]);
  });

  it("is not made of a run that is not complete, or of other schemas", async () => {
    const storage = join(folder, "refused");
    await using scythe = await openProject({ experiments: [loose()], storage });
    const run = await scythe.allocate("loose", [{ n: 1 }]);
    await run.result();
    const changed = loose(z.object({ y: z.number(), more: z.string().optional() }) as never);
    await using other = await openProject({ experiments: [changed], storage });
    for (const attempt of [() => other.extend("loose", [{ n: 2 }]), () => other.retry("loose")]) {
      await expect(attempt()).rejects.toMatchObject({
        code: "conflict",
        message: expect.stringContaining("The schemas of loose differ from those of run loose/"),
      });
    }
    await scythe.storage.delete([`${run.experimentId}/report.yml`]);
    await expect(scythe.extend("loose", [{ n: 2 }])).rejects.toMatchObject({
      code: "conflict",
      hint: expect.stringContaining("scythe resume"),
    });
    expect(await scythe.experiment("loose").listVersions()).toEqual(["v1.0.0"]);
  });
});
