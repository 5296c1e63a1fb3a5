import { createHash } from "node:crypto";
import {
  appendFileSync,
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Certificate, openProject, randomFrom } from "scythe-ts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";
import { addChecksum, withoutChecksum } from "../src/run/checksum.ts";
import { withDuckDb } from "../src/table/duckdb.ts";
import { runCli } from "./cli.ts";
import { collect } from "./collect.ts";
import { MEASURED, measuredSpecs } from "./measured.ts";
import { startS3Server } from "./servers/s3-server.ts";

const COUNT = 60;
const folder = mkdtempSync(join(tmpdir(), "scythe-verify-test-"));
const storage = join(folder, "data");
let id: string;

async function verify(where: string, options = {}): Promise<Certificate> {
  await using project = await openProject(MEASURED, { storage: where, engine: "inline" });
  return project.audit.verify(id, options);
}

function statuses({ checks }: Certificate): Record<string, string> {
  return Object.fromEntries(checks.map(({ name, status }) => [name, status]));
}

function filesNamed({ problems }: Certificate): string[] {
  return [...new Set(problems.map(({ file }) => String(file)))].sort();
}

beforeAll(async () => {
  await using project = await openProject(MEASURED, { storage });
  const specs = measuredSpecs(join(folder, "inputs"), COUNT);
  const run = await project.allocate("measured", specs, { seed: 7, chunkSize: 20 });
  const { report } = await run.result();
  id = run.experimentId;
  expect(report).toMatchObject({ succeeded: 47, failed: 13, missing: 0 });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("scythe verify", () => {
  it("finds nothing wrong with a run as it was made, and its specs give the same in processes of their own", async () => {
    await using project = await openProject(MEASURED, { storage });
    const certificate = await project.audit.verify(id, { sample: COUNT, seed: 1 });
    expect(certificate.problems).toEqual([]);
    expect(certificate).toMatchObject({
      result: "verified",
      experiment_id: id,
      seed: 7,
      allocated: 60,
      succeeded: 47,
      failed: 13,
      missing: 0,
      sample: { asked: COUNT, seed: 1, same: COUNT, different: 0, differences: [], because: null },
    });
    expect(new Set(Object.values(statuses(certificate)))).toEqual(new Set(["ok"]));
    const paths = certificate.files.map(({ path }) => path);
    expect(paths).toEqual(
      expect.arrayContaining([
        ...["artifacts/source/one.txt", "final/steps.pq", "specs.pq", "experiment_io_spec.yml"],
        "output_artifacts.pq",
      ]),
    );
    expect(certificate.checks.find(({ name }) => name === "files")!.says).toContain(
      "141 of 141 output files have theirs",
    );
    expect(certificate.files.every(({ recorded }) => recorded)).toBe(true);
  });

  it("draws the same sample from the same seed", async () => {
    const [a, b, c] = [
      await verify(storage, { sample: 5, seed: 3 }),
      await verify(storage, { sample: 5, seed: 3 }),
      await verify(storage, { sample: 5, seed: 4 }),
    ];
    expect(a!.sample!.sort_indexes).toHaveLength(5);
    expect(b!.sample!.sort_indexes).toEqual(a!.sample!.sort_indexes);
    expect(c!.sample!.sort_indexes).not.toEqual(a!.sample!.sort_indexes);
  });

  it("names spec, column and both values where a spec gives something else now", async () => {
    process.env.DRIFT = "0.5";
    const { result, sample, problems } = await verify(storage, { sample: COUNT, seed: 1 }).finally(() => {
      delete process.env.DRIFT;
    });
    expect(result).toBe("failed");
    expect(sample).toMatchObject({ same: 13, different: 47 });
    const first = sample!.differences.filter(({ sort_index }) => sort_index === 1);
    expect(first.map(({ table, column }) => `${table}.${column}`).sort()).toEqual([
      "result_file_refs.log",
      "scalars.value",
    ]);
    const value = first.find(({ column }) => column === "value")!;
    expect(Number(value.again) - Number(value.stored)).toBeCloseTo(0.5, 9);
    expect(problems.some(({ problem }) => problem.includes(`spec 1, value: stored ${value.stored}`))).toBe(true);
    expect(sample!.because).toMatch(/not deterministic/);
  });

  describe("names every file that is damaged, and goes on", () => {
    const whole = [
      ...["final", "artifacts", "results", "specs.pq", "manifest.yml", "report.yml", "state.yml"],
      ...["experiment_io_spec.yml", "input_artifacts.yml", "output_artifacts.pq"],
    ];
    const copy = join(folder, "copy");
    const files = () =>
      (readdirSync(join(copy, id), { recursive: true }) as string[]).filter(
        (path) => whole.includes(path.split("/")[0]!) && statSync(join(copy, id, path)).isFile(),
      );
    beforeAll(() => cpSync(join(storage, id), join(copy, id), { recursive: true }));

    const flip = (path: string, seed: number) => {
      const bytes = readFileSync(path);
      const bit = randomFrom(seed, bytes.length).integer(0, 8 * bytes.length - 1);
      bytes[bit >> 3]! ^= 1 << (bit & 7);
      writeFileSync(path, bytes);
    };
    const harms: [string, (path: string) => void][] = [
      ["a flipped bit", (path) => flip(path, 11)],
      ["another flipped bit", (path) => flip(path, 12)],
      ["its half", (path) => truncateSync(path, Math.floor(statSync(path).size / 2))],
      ["all but its last byte", (path) => truncateSync(path, statSync(path).size - 1)],
      ["nothing left", (path) => truncateSync(path, 0)],
      ["something else", (path) => writeFileSync(path, "neither: [Parquet nor: YAML")],
      ["more behind it", (path) => appendFileSync(path, "\n")],
      ["no file", (path) => rmSync(path)],
    ];
    // without its manifest, report or lists of files, hashes of other files are not known
    const groups = [["manifest.yml"], ["report.yml", "input_artifacts.yml"], ["output_artifacts.pq"]];
    it.each(harms)("%s", async (_name, harm) => {
      const rest = files().filter((path) => !groups.flat().includes(path));
      expect(rest.length).toBeGreaterThanOrEqual(8 + 141);
      for (const group of [...groups, rest]) {
        const before = group.map((path) => readFileSync(join(copy, id, path)));
        for (const path of group) harm(join(copy, id, path));
        const certificate = await verify(copy, { sample: 1 });
        expect(certificate.result).toBe("failed");
        expect(filesNamed(certificate)).toEqual(expect.arrayContaining(group));
        group.forEach((path, i) => {
          writeFileSync(join(copy, id, path), before[i]!);
        });
      }
      expect((await verify(copy)).problems).toEqual([]);
    });

    it("an output file that is gone, a file too many in final/, a state that is nonsense", async () => {
      rmSync(copy, { recursive: true });
      cpSync(join(storage, id), join(copy, id), { recursive: true });
      const [log] = readdirSync(join(copy, id, "results/log"));
      rmSync(join(copy, id, "results/log", log!));
      cpSync(join(copy, id, "final/steps.pq"), join(copy, id, "final/more.pq"));
      writeFileSync(join(copy, id, "state.yml"), "status: [");
      const certificate = await verify(copy);
      expect(filesNamed(certificate)).toEqual(["final/more.pq", `results/log/${log}`, "state.yml"]);
      expect(statuses(certificate)).toMatchObject({ files: "failed", references: "failed", descriptions: "failed" });
      expect(statuses(certificate)).toMatchObject({ counts: "ok", tables: "ok", schema: "ok" });
    });
  });

  it("of an input file that is damaged, runs the specs that need it no more", async () => {
    const copy = join(folder, "artifact");
    cpSync(join(storage, id), join(copy, id), { recursive: true });
    writeFileSync(join(copy, id, "artifacts/source/one.txt"), "from elsewhere");
    const { sample, problems } = await verify(copy, { sample: COUNT, seed: 1 });
    expect(filesNamed({ problems } as Certificate)).toEqual(["artifacts/source/one.txt"]);
    expect(sample!.sort_indexes.every((index) => index % 2 === 1)).toBe(true);
    expect(sample).toMatchObject({ different: 0 });
  });

  it("compares specs by the tables that can be read where one cannot", async () => {
    const copy = join(folder, "one-table-less");
    cpSync(join(storage, id), join(copy, id), { recursive: true });
    truncateSync(join(copy, id, "final/steps.pq"), 100);
    const { sample, problems, checks } = await verify(copy, { sample: 5, seed: 1 });
    expect(problems.filter(({ check }) => check === "sample")).toEqual([]);
    expect(sample).toMatchObject({ same: 5, different: 0 });
    const own = checks.find(({ name }) => name === "sample");
    expect(own).toMatchObject({
      status: "unchecked",
      says: [expect.stringContaining("rows of steps"), expect.anything()],
    });
  });

  it("knows a download, what it brought and what it left, and runs specs from it", async () => {
    const cli = (...args: string[]) => runCli(args, { cwd: MEASURED });
    const target = join(folder, "download");
    await cli("download", id, "--storage", storage, "--to", target);
    const some = await verify(target);
    expect(some.problems).toEqual([]);
    expect(statuses(some)).toMatchObject({ files: "unchecked", references: "unchecked" });
    await cli("download", id, "--storage", storage, "--to", target, "--what", "final,results,artifacts,specs");
    const moved = `${storage}-away`;
    cpSync(storage, moved, { recursive: true });
    rmSync(storage, { recursive: true });
    const all = await verify(target, { sample: 10, seed: 2 });
    cpSync(moved, storage, { recursive: true });
    expect(all.problems).toEqual([]);
    expect(all.sample).toMatchObject({ same: 10 });
    rmSync(join(target, id, "artifacts/source/two.txt"));
    expect(filesNamed(await verify(target))).toEqual(["artifacts/source/two.txt"]);
  });

  it("finds a copy in another storage whole, with hashes of its own", async () => {
    const target = join(folder, "copied");
    const copied = await runCli(["copy", id, target, "--storage", storage], { cwd: MEASURED });
    expect(copied.code).toBe(0);
    const certificate = await verify(target, { sample: 5 });
    expect(certificate.problems).toEqual([]);
    expect(new Set(Object.values(statuses(certificate)))).toEqual(new Set(["ok"]));
    expect(certificate.files.every(({ recorded }) => recorded)).toBe(true);
  });

  it("finds rows that are not what the run's records say, though every hash is right", async () => {
    const where = join(folder, "forged");
    cpSync(join(storage, id), join(where, id), { recursive: true });
    const path = (table: string) => join(where, id, `final/${table}.pq`);
    const report = join(where, id, "report.yml");
    const parsed = parse(readFileSync(report, "utf8"));
    const forge = async (table: string, select: string) => {
      await withDuckDb({}, 0, async (duck) => {
        const rows = await duck.rows(
          `SELECT decode(value) AS v FROM parquet_kv_metadata('${path(table)}') WHERE decode(key) = 'scythe'`,
        );
        await duck.run(
          `COPY (SELECT ${select}) TO '${path(table)}.new' (FORMAT parquet, KV_METADATA {scythe: '${rows[0]!.v}'})`,
          "forge",
        );
      });
      cpSync(`${path(table)}.new`, path(table));
      rmSync(`${path(table)}.new`);
      parsed.final[table] = {
        rows: parsed.final[table].rows,
        bytes: statSync(path(table)).size,
        sha256: createHash("sha256")
          .update(readFileSync(path(table)))
          .digest("hex"),
      };
    };
    await forge(
      "scalars",
      `* REPLACE (CASE sort_index WHEN 3 THEN 4 ELSE sort_index END AS sort_index) FROM read_parquet('${path("scalars")}')`,
    );
    await forge("steps", `* FROM read_parquet('${path("steps")}') WHERE NOT (sort_index = 7 AND sort_subindex = 1)`);
    await forge("errors", `* REPLACE (n + 1 AS n) FROM read_parquet('${path("errors")}')`);
    writeFileSync(report, stringify(parsed));
    const { problems } = await verify(where);
    const texts = problems.map(({ file, problem }) => `${file} ${problem}`);
    expect(texts).toEqual(
      expect.arrayContaining([
        "final/scalars.pq sort_index 4 more than once over scalars and errors",
        "final/scalars.pq sort_index 3 in neither scalars nor errors",
        expect.stringMatching(/^final\/errors\.pq sort_index 6, .*: inputs that are not the spec's/),
        expect.stringMatching(/^final\/scalars\.pq sort_index 4: inputs that are not the spec's/),
        "final/scalars.pq has 1 rows whose ids are not those of this run and spec",
        "final/steps.pq sort_index 3: rows of specs that did not succeed",
        "final/steps.pq sort_index 7: rows are missing or there twice (sort_subindex)",
        expect.stringMatching(/^final\/steps\.pq rows: \d+, not \d+/),
        "final/result_file_refs.pq has not the same specs as scalars.pq",
      ]),
    );
    expect(texts.some((text) => text.includes("SHA-256"))).toBe(false);
  });

  it("says of a run that is not complete what there is of it", async () => {
    const where = join(folder, "cancelled");
    cpSync(join(storage, id), join(where, id), { recursive: true });
    rmSync(join(where, id, "report.yml"));
    rmSync(join(where, id, "final"), { recursive: true });
    const state = join(where, id, "state.yml");
    writeFileSync(
      state,
      addChecksum(withoutChecksum(readFileSync(state, "utf8")).replace("status: complete", "status: cancelled")),
    );
    const { problems } = await verify(where);
    expect(problems).toEqual([
      { check: "descriptions", file: "report.yml", problem: expect.stringContaining("not complete (cancelled)") },
    ]);
  });

  it("tells other code from damage", async () => {
    const { defineExperiment } = await import("scythe-ts");
    const { z } = await import("zod");
    const changed = defineExperiment({
      name: "measured",
      input: z.object({ n: z.number() }),
      output: z.object({ m: z.number() }),
      run: ({ n }) => ({ m: n }),
    });
    await using project = await openProject({ experiments: [changed], storage });
    const certificate = await project.audit.verify(id);
    expect(certificate.problems).toEqual([]);
    expect(statuses(certificate)).toMatchObject({ code: "unchecked", schema: "unchecked", files: "ok" });
    const asked = await project.audit.verify(id, { sample: 1 });
    expect(asked.problems).toEqual([
      { check: "sample", file: null, problem: expect.stringContaining("code with the run's schemas is not here") },
    ]);
  });

  it("prints a certificate, writes it, and exits 0 or 3", async () => {
    const to = join(folder, "certificate.json");
    const cli = (...args: string[]) => runCli(["verify", id, ...args], { cwd: MEASURED });
    const good = await cli("--storage", storage, "--sample", "3", "--sample-seed", "9", "--to", to);
    expect(good.err).toContain("certificate written");
    expect(good.out).toContain("verified");
    expect(good.out).toContain("3 of 3 specs gave the same again");
    expect(good.code).toBe(0);
    expect(JSON.parse(readFileSync(to, "utf8"))).toMatchObject({ result: "verified", sample: { seed: 9, same: 3 } });
    const copy = join(folder, "cli");
    cpSync(join(storage, id), join(copy, id), { recursive: true });
    truncateSync(join(copy, id, "manifest.yml"), 200);
    const bad = await cli("--storage", copy, "--json");
    expect(bad.code).toBe(3);
    expect(filesNamed(JSON.parse(bad.out))).toEqual(["manifest.yml"]);
    expect((await cli("--storage", folder)).code).toBe(2);
  });
});

const server = await startS3Server();

describe.skipIf(!server)("scythe verify in a bucket", () => {
  afterAll(() => server!.stop());

  it("checks what is there, and runs specs of it", async () => {
    Object.assign(process.env, server!.env, { SCYTHE_CACHE_DIR: join(folder, "cache") });
    const where = `s3://${await server!.createBucket()}/studies`;
    await using project = await openProject(MEASURED, { storage: where });
    const run = await project.allocate("measured", measuredSpecs(join(folder, "inputs"), 12), { seed: 7 });
    await run.result();
    const good = await project.audit.verify(run.experimentId, { sample: 12 });
    expect(good.problems).toEqual([]);
    expect(good.sample).toMatchObject({ same: 12 });
    const key = `${run.experimentId}/final/scalars.pq`;
    const { body } = await project.storage.get(key);
    body[100]! ^= 1;
    await project.storage.put(key, body);
    const logs = await collect(project.storage.list(`${run.experimentId}/results/log/`));
    const log = logs[3]!.key.slice(run.experimentId.length + 1);
    await project.storage.put(logs[3]!.key, "another line");
    await project.storage.delete([`${run.experimentId}/artifacts/source/one.txt`]);
    const bad = await project.audit.verify(run.experimentId);
    expect(filesNamed(bad)).toEqual(["artifacts/source/one.txt", "final/scalars.pq", log]);
  });
});
