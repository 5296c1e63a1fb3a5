import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defineExperiment, fileRef, openProject, type RunDiff, type Scythe, table } from "scythe-ts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { runCli } from "./cli.ts";
import { startS3Server } from "./servers/s3-server.ts";

/** What the function does differently from one run to the next. */
let change = { add: 0, fail: -1, file: "", steps: 2, nan: -1, infinite: -1 };
const calm = change;

const varied = defineExperiment({
  name: "varied",
  input: z.object({ n: z.number().int(), x: z.number().optional(), tags: z.array(z.string()), source: fileRef() }),
  output: z.object({
    value: z.number().catch(Number.NaN),
    whole: z.number().int(),
    big: z.bigint(),
    note: z.string().nullable(),
    log: fileRef(),
  }),
  tables: { steps: table(z.object({ step: z.number().int(), twice: z.number() }), { index: ["step"] }) },
  computedFeatures: ({ n }) => ({ parity: n % 2 === 0 ? "even" : "odd" }),
  retries: 0,
  run({ n }, ctx) {
    if (n === change.fail) throw new Error("failed for a change");
    const path = join(ctx.tempDir, "a.log");
    writeFileSync(path, `log ${n}${n === 3 ? change.file : ""}`);
    const steps = Array.from({ length: n === 1 ? change.steps : 2 }, (_, step) => ({ step, twice: 2 * step }));
    const value = n === change.infinite ? Number.MAX_VALUE : 10 * n + (n === 4 ? change.add : 0);
    return {
      value: n === change.nan ? Number.NaN : value,
      whole: n,
      big: 2n ** 60n + BigInt(n),
      note: n === 2 && change.add > 0 ? "new" : null,
      log: path,
      tables: { steps },
    };
  },
});

const wider = defineExperiment({
  name: "varied",
  input: z.object({
    n: z.number().min(0),
    tags: z.array(z.string()),
    source: fileRef(),
    more: z.string().default("m"),
  }),
  output: z.object({ value: z.number(), extra: z.boolean() }),
  run: ({ n }) => ({ value: 10 * n, extra: true }),
});

/** Fields and tables called as what the comparison itself works with. */
const named = defineExperiment({
  name: "named",
  input: z.object({ key: z.number().int(), nth: z.number().int() }),
  output: z.object({ i: z.number().int(), pair: z.number(), sub: z.string(), v0: z.number(), ia: fileRef() }),
  tables: {
    failed: table(z.object({ i: z.number().int(), sub: z.number() }), { index: ["i"] }),
    keys: table(z.object({ pair: z.number() })),
  },
  run({ key }, ctx) {
    const path = join(ctx.tempDir, "a.log");
    writeFileSync(path, `log ${key}${key === 2 ? change.file : ""}`);
    const rows = [0, 1].map((i) => ({ i, sub: key === 2 && i === 1 ? change.add : 0 }));
    const own = { i: 100 + key, pair: key === 2 ? change.add : 0, sub: "s", v0: 0, ia: path };
    return { ...own, tables: { failed: rows, keys: [{ pair: key }] } };
  },
});

const folder = mkdtempSync(join(tmpdir(), "scythe-diff-test-"));
const storage = join(folder, "data");
let scythe: Scythe;
const source = (name: string, text: string) => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};
const specsOf = (count: number, file: string) =>
  Array.from({ length: count }, (_, n) => ({ n, ...(n % 2 ? { x: n / 3 } : {}), tags: [`t${n}`], source: file }));

beforeAll(async () => {
  scythe = await openProject({ experiments: [varied], storage });
});
afterAll(async () => {
  await scythe.close();
  rmSync(folder, { recursive: true, force: true });
});

async function runOf(specs: ReturnType<typeof specsOf>, changes: Partial<typeof change> = {}, project = scythe) {
  change = { ...calm, ...changes };
  const run = await project.allocate("varied", specs, { seed: 1 });
  await run.result();
  change = calm;
  return run.experimentId;
}

function different({ columns, files }: RunDiff) {
  const fields = [
    ...columns.map((c) => ({ ...c, column: `${c.table}.${c.column}` })),
    ...files.map((f) => ({ ...f, column: f.field })),
  ];
  return Object.fromEntries(fields.filter((own) => own.different > 0).map((own) => [own.column, own.different]));
}

describe("scythe diff", () => {
  let plain: string;
  beforeAll(async () => {
    plain = await runOf(specsOf(6, source("a.txt", "one")));
  });

  it("finds two runs of the same specs equal, in whatever order and from whatever file they came", async () => {
    const again = await runOf(specsOf(6, source("b.txt", "one")).reverse());
    const found = await scythe.audit.diff(plain, again);
    expect(found).toMatchObject({ equal: true, by: "inputs", schema: [], environment: [] });
    expect(found.specs).toMatchObject({ a: 6, b: 6, matched: 6, only_a: 0, only_b: 0 });
    expect(found.outcomes).toMatchObject({ both_succeeded: 6, examples: [] });
    expect(found.columns.map(({ table, column, compared, equal }) => [table, column, compared, equal])).toEqual([
      ["scalars", "parity", 6, 6],
      ["scalars", "value", 6, 6],
      ["scalars", "whole", 6, 6],
      ["scalars", "big", 6, 6],
      ["scalars", "note", 6, 6],
      ["steps", "parity", 12, 12],
      ["steps", "step", 12, 12],
      ["steps", "twice", 12, 12],
    ]);
    expect(found.files).toEqual([{ field: "log", compared: 6, equal: 6, different: 0, by: "content", examples: [] }]);
    const placed = await scythe.audit.diff(plain, again, { by: "sort_index" });
    expect(placed.equal).toBe(false);
    expect(different(placed)).toMatchObject({ "specs.n": 6, "scalars.value": 6, log: 6 });
  });

  it("names the largest differences, what failed, rows and files", async () => {
    const source_ = join(folder, "a.txt");
    const other = await runOf(specsOf(6, source_), { add: 0.5, fail: 5, file: "!", steps: 3 });
    const found = await scythe.audit.diff(plain, other);
    expect(found.equal).toBe(false);
    expect(different(found)).toEqual({ "scalars.value": 1, "scalars.note": 1, log: 1 });
    const value = found.columns.find(({ column }) => column === "value")!;
    expect(value).toMatchObject({ compared: 5, equal: 4, near: 0, max_abs: 0.5 });
    expect(value.max_rel).toBeCloseTo(0.5 / 40.5, 12);
    expect(value.examples).toEqual([{ sort_index_a: 4, sort_index_b: 4, sort_subindex: null, a: "40.0", b: "40.5" }]);
    expect(found.outcomes).toMatchObject({
      both_succeeded: 5,
      failed_in_b_only: 1,
      failed_in_a_only: 0,
      examples: [{ sort_index_a: 5, sort_index_b: 5, a: null, b: "error" }],
    });
    expect(found.tables.find((own) => own.table === "steps")).toMatchObject({ only_b: 1, only_a: 2 });
    const near = await scythe.audit.diff(plain, other, { tolerance: 0.02 });
    expect(near.columns.find(({ column }) => column === "value")).toMatchObject({
      near: 1,
      different: 0,
      examples: [],
    });
    expect(near.equal).toBe(false);
  });

  it("holds NaN equal to NaN, to nothing else, and infinite distances largest", async () => {
    const file = join(folder, "a.txt");
    const [one, two, none] = [
      await runOf(specsOf(4, file), { nan: 1 }),
      await runOf(specsOf(4, file), { nan: 1, infinite: 2 }),
      await runOf(specsOf(4, file)),
    ];
    expect((await scythe.audit.diff(one!, one!)).equal).toBe(true);
    const found = (await scythe.audit.diff(two!, none!)).columns.find(({ column }) => column === "value")!;
    expect(found.different).toBe(2);
    expect(found.examples.map(({ a }) => a)).toEqual(["nan", expect.stringContaining("e+308")]);
    expect(found.max_abs).toBe(Number.MAX_VALUE);
  });

  it("tells integers apart that are one number in floating point, wherever they lie", async () => {
    let more = 0n;
    const big = z.bigint();
    const exact = defineExperiment({
      name: "exact",
      input: z.object({ n: z.int() }),
      output: z.object({ big, list: z.array(big), object: z.object({ big, near: z.array(z.object({ big })) }) }),
      tables: { steps: table(z.object({ big }), { index: [] }) },
      run: ({ n }) => {
        const value = 2n ** 62n + (n === 1 ? more : 0n);
        const steps = [{ big: value }];
        return { big: value, list: [value], object: { big: value, near: steps }, tables: { steps } };
      },
    });
    await using project = await openProject({ experiments: [exact], storage });
    const run = async () => {
      const own = await project.allocate(exact, [{ n: 0 }, { n: 1 }]);
      await own.result();
      return own.experimentId;
    };
    const [one, same] = [await run(), await run()];
    more = 100n;
    const found = await project.audit.diff(one, await run());
    const all = { "scalars.big": 1, "scalars.list": 1, "scalars.object": 1, "steps.big": 1 };
    expect(different(found)).toEqual(all);
    const examples = [{ a: `${2n ** 62n}`, b: `${2n ** 62n + 100n}` }];
    for (const own of ["scalars", "steps"]) {
      const column = found.columns.find((c) => c.table === own && c.column === "big");
      expect(column).toMatchObject({ compared: 2, equal: 1, max_abs: 100, examples });
    }
    expect(found.equal).toBe(false);
    expect((await project.audit.diff(one, same)).equal).toBe(true);
  });

  it("tells specs that one run alone has, twins among them", async () => {
    const file = join(folder, "a.txt");
    const twins = [...specsOf(3, file), ...specsOf(3, file)];
    const found = await scythe.audit.diff(plain, await runOf(twins));
    expect(found.equal).toBe(false);
    expect(found.specs).toEqual({
      a: 6,
      b: 6,
      matched: 3,
      only_a: 3,
      only_b: 3,
      examples_only_a: [3, 4, 5],
      examples_only_b: [3, 4, 5],
    });
  });

  it("tells input files of other content, whose specs are others", async () => {
    const found = await scythe.audit.diff(plain, await runOf(specsOf(6, source("a.txt", "two"))));
    expect(found.artifacts.changed).toEqual([
      { path: "artifacts/source/a.txt", a: expect.stringMatching(/^[0-9a-f]{64}$/), b: expect.any(String) },
    ]);
    expect(found.specs).toMatchObject({ matched: 0, only_a: 6, only_b: 6 });
    source("a.txt", "one");
  });

  it("tells how schemas differ, and compares what they share", async () => {
    await using project = await openProject({ experiments: [wider], storage });
    const specs = specsOf(6, join(folder, "a.txt")).map(({ n, tags, source }) => ({ n, tags, source }));
    const run = await project.allocate(wider, specs, { seed: 2 });
    await run.result();
    const found = await scythe.audit.diff(plain, run.experimentId);
    const changes = found.schema.map(({ of, field, change }) => `${of}.${field} ${change}`);
    expect(changes).toEqual(
      expect.arrayContaining([
        ...["input.n changed", "input.x removed", "input.more added", "output.extra added", "output.log removed"],
        "output.whole removed",
      ]),
    );
    expect(found.schema.find(({ field }) => field === "n")!.b).toMatchObject({ minimum: 0, type: "number" });
    expect(found).toMatchObject({ equal: false, seed: { a: 1, b: 2 }, specs: { matched: 6 } });
    expect(different(found)).toEqual({});
    expect(found.code.a.schema_hash).not.toBe(found.code.b.schema_hash);
  });

  it("compares fields and tables whatever they are called", async () => {
    await using project = await openProject({ experiments: [named], storage });
    const runNamed = async (changes: Partial<typeof change>) => {
      change = { ...calm, ...changes };
      const run = await project.allocate(
        named,
        [0, 1, 2].map((key) => ({ key, nth: 2 - key })),
        { seed: 1 },
      );
      await run.result();
      change = calm;
      return run.experimentId;
    };
    const [before, after] = [await runNamed({}), await runNamed({ add: 5, file: "more" })];
    const found = await project.audit.diff(before, after);
    expect(different(found)).toEqual({ "scalars.pair": 1, "failed.sub": 1, ia: 1 });
    const example = (column: string) =>
      found.columns.find((own) => own.column === column && own.different > 0)?.examples;
    expect(example("pair")).toEqual([{ sort_index_a: 2, sort_index_b: 2, sort_subindex: null, a: "0.0", b: "5.0" }]);
    expect(example("sub")).toEqual([{ sort_index_a: 2, sort_index_b: 2, sort_subindex: 1, a: "0.0", b: "5.0" }]);
    expect(found.files[0]!.examples).toMatchObject([{ sort_index_a: 2, sort_index_b: 2 }]);
  });

  it("on the command line exits 0 when equal, 3 when not, 2 without a run to compare", async () => {
    const again = await runOf(specsOf(6, join(folder, "a.txt")));
    const other = await runOf(specsOf(6, join(folder, "a.txt")), { add: 1 });
    const cli = (...args: string[]) => runCli(["diff", ...args, "--storage", storage], { cwd: folder });
    const equal = await cli(plain, again);
    expect(equal.out, equal.err).toContain("equal");
    expect(equal.code).toBe(0);
    const unequal = await cli(plain, other);
    expect(unequal.out).toMatch(/value +5 +0 +1 +1 /);
    expect(unequal.out).toContain("value: 40.0 → 41.0");
    expect(unequal.code).toBe(3);
    expect(JSON.parse((await cli(plain, other, "--json", "--tolerance", "0.5")).out)).toMatchObject({
      equal: false,
      tolerance: 0.5,
      columns: expect.arrayContaining([expect.objectContaining({ column: "value", near: 1 })]),
    });
    expect((await cli(plain, "nothing")).code).toBe(2);
    expect((await cli(plain, again, "--tolerance", "x")).code).toBe(2);
  });
});

const server = await startS3Server();

describe.skipIf(!server)("scythe diff across storages", () => {
  afterAll(() => server!.stop());

  it("compares a run on disk with one in a bucket", async () => {
    Object.assign(process.env, server!.env, { SCYTHE_CACHE_DIR: join(folder, "cache") });
    const where = `s3://${await server!.createBucket()}/studies`;
    await using project = await openProject({ experiments: [varied], storage: where });
    const file = join(folder, "a.txt");
    const [here, there] = [await runOf(specsOf(6, file)), await runOf(specsOf(6, file), {}, project)];
    const found = await scythe.audit.diff(here!, there!, { storage: where });
    expect(found).toMatchObject({ equal: true, specs: { matched: 6 }, files: [{ by: "size", equal: 6 }] });
  });
});

describe("scythe lineage", () => {
  it("names code, environment, inputs and the runs before", async () => {
    const config = `import { defineConfig, defineExperiment } from "scythe-ts"; import { z } from "zod";
      const twice = defineExperiment({ name: "twice", input: z.object({ n: z.number() }), output: z.object({ m: z.number() }), run: ({ n }) => ({ m: 2 * n }) });
      export default defineConfig({ experiments: [twice] });`;
    const project = mkdtempSync(join(import.meta.dirname, "fixtures", ".lineage-"));
    try {
      writeFileSync(join(project, "scythe.config.ts"), config);
      writeFileSync(join(project, "specs.csv"), "n\n1\n2\n");
      const cli = (...args: string[]) => runCli([...args, "--storage", storage], { cwd: project });
      const first = (await cli("run", "twice", "specs.csv", "--seed", "3")).out.trim();
      const second = (await cli("run", "twice", "--set", "n=4", "--parent", "twice", "--seed", "5")).out.trim();
      const { out, err } = await cli("lineage", "twice", "--json");
      const lineage = JSON.parse(out || err);
      expect(lineage).toMatchObject({
        experiment_id: second,
        experiment_name: "twice",
        seed: 5,
        artifacts: [],
        command: `scythe run twice --set 'n=4' --parent twice --seed 5 --storage ${storage}`,
        environment: { node: process.version, packages: { zod: expect.any(String), commander: expect.any(String) } },
        specs: { count: 1, source: null, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
        driven: { engine: "local", times: 1, generation: 0 },
        parents: [{ experiment_id: first, spec_count: 2 }],
      });
      const before = JSON.parse((await cli("lineage", first, "--json")).out);
      expect(before).toMatchObject({ specs: { source: { path: "specs.csv", bytes: 6 } }, parents: [] });
      expect((await cli("lineage", first)).out).toContain("from specs.csv");
    } finally {
      rmSync(project, { recursive: true, force: true });
    }
  });
});
