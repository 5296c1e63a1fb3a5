import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { openProject } from "../open-project.ts";
import { readManifest } from "../run/manifest.ts";
import { readState } from "../run/state.ts";
import { localStorage } from "../storage/local/local.ts";
import { memoryStorage } from "../storage/memory.ts";
import { getText } from "../storage/storage.ts";
import { withDuckDb } from "../table/duckdb.ts";
import { parquetRows } from "../table/parquet-sql.ts";
import { allocate, experimentOf, keysOf, scratchFolder, specsOf, study } from "./allocation.testsuite.ts";

const scratch = scratchFolder();
const numbers = (count: number) => Array.from({ length: count }, (_, n) => ({ n }));

describe("an allocated run", () => {
  it("is laid out as Python Scythe reads it", async () => {
    const storage = memoryStorage();
    const run = await allocate(storage, numbers(3));
    expect(run.layout.experimentId).toMatch(/^study\/v1\.0\.0\/\d{4}-\d{2}-\d{2}_\d{2}-\d{2}-\d{2}$/);
    const names = ["experiment_io_spec.yml", "input_artifacts.yml", "manifest.yml", "specs.pq", "state.yml"];
    expect(await keysOf(storage)).toEqual(
      ["study/v1.0.0.claim", ...names.map((name) => `${run.layout.experimentId}/${name}`)].sort(),
    );
    const manifest = parse((await getText(storage, run.layout.manifest))!.text);
    expect(manifest).toMatchObject({
      workflow_run_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      experiment_id: run.layout.experimentId,
      experiment_name: "study",
      specs_uri: storage.uriOf(run.layout.specs),
      io_spec: storage.uriOf(run.layout.ioSpec),
      input_artifacts: storage.uriOf(run.layout.inputArtifacts),
      spec_count: 3,
      recursion: { factor: 10, max_depth: 0 },
      chunk_size: null,
      seed: expect.any(Number),
    });
    expect(await readManifest(storage, run.layout)).toEqual(run.manifest);
    expect((await readState(storage, run.layout))?.status).toBe("allocated");
    const io = parse((await getText(storage, run.layout.ioSpec))!.text);
    expect(io.properties.input.properties.n).toMatchObject({ type: "number", minimum: 0 });
    expect(io.properties.output.properties).toHaveProperty("y");
  });

  it("has its specs in a Parquet file that says what they are", async () => {
    const experiment = experimentOf(
      z.object({
        n: z.number(),
        i: z.int(),
        when: z.date(),
        big: z.bigint(),
        list: z.array(z.int()),
        kind: z.enum(["a", "b"]),
      }),
    );
    const storage = localStorage(join(scratch.path, "types"));
    const spec = { n: 1, i: 2, when: new Date("2020-01-31T12:00:00.123Z"), big: 2n ** 62n, list: [1], kind: "a" };
    const run = await allocate(storage, [spec, { ...spec, kind: "b" }], {}, experiment);
    const specs = parquetRows(storage.localPath!(run.layout.specs));
    const [types, rows] = await withDuckDb({}, 1, async (duck) => [
      await duck.rows(`DESCRIBE FROM ${specs}`),
      await duck.rows(`FROM ${specs}`),
    ]);
    expect(types.map(({ column_name, column_type }) => `${column_name} ${column_type}`)).toEqual([
      "experiment_id VARCHAR",
      "sort_index BIGINT",
      "workflow_run_id VARCHAR",
      "root_workflow_run_id VARCHAR",
      "n DOUBLE",
      "i BIGINT",
      "when TIMESTAMP WITH TIME ZONE",
      "big BIGINT",
      "list BIGINT[]",
      "kind VARCHAR",
    ]);
    expect(rows[1]).toMatchObject({
      experiment_id: run.layout.experimentId,
      sort_index: 1n,
      workflow_run_id: null, // as in Python Scythe: a spec's own is known once it runs
      root_workflow_run_id: run.manifest.workflow_run_id,
      big: 2n ** 62n,
      kind: "b",
    });
    expect(await specsOf(storage, run, experiment)).toEqual([
      { sort_index: 0, ...spec },
      { sort_index: 1, ...spec, kind: "b" },
    ]);
  });

  it("of one spec given alone has it as workflow_spec.yml too", async () => {
    const storage = memoryStorage();
    const experiment = experimentOf(z.object({ n: z.number(), when: z.date(), big: z.bigint() }));
    const run = await allocate(storage, { n: 3, when: new Date("2020-01-31"), big: 7n }, {}, experiment);
    expect(parse((await getText(storage, run.layout.workflowSpec))!.text)).toMatchObject({
      experiment_id: run.layout.experimentId,
      workflow_run_id: `${run.manifest.workflow_run_id.slice(0, 24)}000000000000`,
      root_workflow_run_id: run.manifest.workflow_run_id,
      sort_index: 0,
      n: 3,
      big: 7,
    });
    expect(run.manifest.scythe?.spec_count).toBe(1);
    const many = await allocate(storage, [{ n: 3, when: new Date(), big: 7n }], {}, experiment);
    expect(await storage.head(many.layout.workflowSpec)).toBeUndefined();
  });

  it("keeps more specs than one flush, in their order", async () => {
    const storage = memoryStorage();
    const run = await allocate(storage, numbers(70_000));
    const specs = await specsOf(storage, run);
    expect(specs).toHaveLength(70_000);
    expect(specs.every(({ n, sort_index }, i) => n === i && sort_index === i)).toBe(true);
  });
});

describe("versions", () => {
  it("begin at v1.0.0 and rise by a major, unless another is asked for", async () => {
    const storage = memoryStorage();
    const version = async (request?: string) =>
      (await allocate(storage, numbers(1), request === undefined ? {} : { version: request })).layout.id.version;
    expect([await version(), await version(), await version("bumpminor"), await version("bumppatch")]).toEqual([
      "v1.0.0",
      "v2.0.0",
      "v2.1.0",
      "v2.1.1",
    ]);
    expect([await version("keep"), await version("v1.5.0"), await version("keep")]).toEqual([
      "v2.1.1",
      "v1.5.0",
      "v2.1.1",
    ]);
  });

  it("are counted under the name that the run is put", async () => {
    const storage = memoryStorage();
    await allocate(storage, numbers(1));
    const run = await allocate(storage, numbers(1), { runName: "study-pilot" });
    expect(run.layout.experimentId).toMatch(/^study-pilot\/v1\.0\.0\//);
    expect(run.manifest.experiment_name).toBe("study");
    expect(await storage.listFolders("")).toEqual(["study", "study-pilot"]);
  });
});

describe("specs may be", () => {
  const counts = async (specs: unknown) => {
    const storage = memoryStorage();
    return (await specsOf(storage, await allocate(storage, specs))).map(({ n }) => n);
  };

  it("an array, any iterable, a generator, an async generator", async () => {
    const generator = function* () {
      yield* numbers(3);
    };
    const slow = async function* () {
      for (const spec of numbers(3)) {
        await Promise.resolve();
        yield spec;
      }
    };
    for (const specs of [
      numbers(3),
      new Set(numbers(3)),
      generator(),
      slow(),
      new Map(numbers(3).map((s) => [s, s])).keys(),
    ]) {
      expect(await counts(specs)).toEqual([0, 1, 2]);
    }
  });

  it("a file, by its path or URL", async () => {
    const path = join(scratch.path, "specs.csv");
    await writeFile(path, "n,text\n1,a\n2,\n");
    expect(await counts(path)).toEqual([1, 2]);
    expect(await counts(pathToFileURL(path))).toEqual([1, 2]);
  });

  it("another run's specs.pq, as it is", async () => {
    const storage = localStorage(join(scratch.path, "again"));
    const first = await allocate(storage, [{ n: 1 }, { n: 2, text: "x" }]);
    const again = await allocate(storage, storage.localPath!(first.layout.specs));
    expect(await specsOf(storage, again)).toEqual([
      { sort_index: 0, n: 1 },
      { sort_index: 1, n: 2, text: "x" },
    ]);
  });

  it.each([[3], [null], [undefined], [true]])("not %s", async (specs) => {
    await expect(allocate(memoryStorage(), specs)).rejects.toMatchObject({ code: "invalid_input" });
  });

  it("no empty lot, and no source that breaks off", async () => {
    const storage = memoryStorage();
    await expect(allocate(storage, [])).rejects.toMatchObject({ code: "invalid_specs" });
    const breaking = function* () {
      yield { n: 1 };
      throw new Error("the source broke off");
    };
    await expect(allocate(storage, breaking())).rejects.toThrow("the source broke off");
    expect(await keysOf(storage)).toEqual([]);
  });
});

describe("options", () => {
  it("are kept in the manifest", async () => {
    const options = { recursion: { factor: 32, maxDepth: 2 }, seed: 2 ** 53 - 1, chunkSize: 7 };
    const { manifest } = await allocate(memoryStorage(), numbers(2), options);
    expect(manifest.scythe).toMatchObject({
      recursion: { factor: 32, max_depth: 2 },
      seed: 2 ** 53 - 1,
      chunk_size: 7,
    });
    const drawn = await Promise.all([1, 2].map(() => allocate(memoryStorage(), numbers(1))));
    expect(drawn[0]?.manifest.scythe?.seed).not.toBe(drawn[1]?.manifest.scythe?.seed);
  });

  it.each([
    [{ recursion: { factor: 0, maxDepth: 1 } }, "recursion.factor"],
    [{ recursion: { factor: 10 } }, "recursion.maxDepth"],
    [{ recursion: { factor: 10, maxDepth: 11 } }, "recursion.maxDepth"],
    [{ chunkSize: 0 }, "chunkSize"],
    [{ seed: -1 }, "seed"],
    [{ seed: 2 ** 53 }, "seed"],
    [{ version: "newest" }, '"newest" is not a version'],
    [{ runName: "a/b" }, 'runName cannot be "a/b"'],
  ])("out of bounds are refused by name: %j", async (options, message) => {
    const storage = memoryStorage();
    await expect(allocate(storage, numbers(1), options as never)).rejects.toThrow(message);
    expect(await keysOf(storage)).toEqual([]);
  });
});

it("a project allocates by name or by experiment, and refuses a path as a name", async () => {
  const storage = join(scratch.path, "project");
  await using scythe = await openProject({ experiments: [study], storage });
  const run = await scythe.allocate("study", [{ n: 1 }]);
  await run.result();
  expect(await scythe.experiment(study).listRuns()).toEqual([run.experimentId]);
  await expect(scythe.allocate("../study", [{ n: 1 }])).rejects.toMatchObject({ code: "not_found" });
  expect(() => scythe.experiment("../study")).toThrow('cannot be "../study"');
  expect(await scythe.listNames()).toEqual(["study"]);
});
