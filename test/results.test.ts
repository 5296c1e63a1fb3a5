import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defineExperiment, fileRef, openProject, type Scythe, table } from "scythe-ts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { collect } from "./collect.ts";

const measured = defineExperiment({
  name: "measured",
  input: z.object({ n: z.number().int(), tags: z.array(z.string()).default([]), source: fileRef().optional() }),
  output: z.object({ twice: z.number(), log: fileRef(), plots: z.array(fileRef()) }),
  tables: { steps: table(z.object({ step: z.number().int(), n_times: z.number() }), { index: ["step"] }) },
  run({ n, tags, source }, ctx) {
    if (n === 2) throw new Error("two is bad");
    const write = (name: string) => {
      writeFileSync(join(ctx.tempDir, name), `${n} ${tags.join()} ${source ? readFileSync(source, "utf8") : ""}`);
      return name;
    };
    ctx.log(`n is ${n}`);
    const steps = Array.from({ length: n }, (_, step) => ({ step, n_times: n * step }));
    return { twice: 2 * n, log: write("a.log"), plots: [write("x.svg"), write("y.svg")], tables: { steps } };
  },
});

describe("results", () => {
  const folder = mkdtempSync(join(tmpdir(), "scythe-results-"));
  let scythe: Scythe;
  beforeAll(async () => {
    writeFileSync(join(folder, "source.txt"), "from a file");
    scythe = await openProject({ experiments: [measured], storage: join(folder, "data") });
    const source = join(folder, "source.txt");
    const specs = [{ n: 0 }, { n: 1, tags: ["a", "b"] }, { n: 2 }, { n: 3, source }];
    for (const version of ["bumpminor", "keep", "bumppatch"]) {
      await (await scythe.allocate(measured, specs, { version, seed: 5 })).result();
    }
  });
  afterAll(async () => {
    await scythe.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it("lists versions and runs", async () => {
    const catalog = scythe.experiment(measured);
    expect(await catalog.listVersions()).toEqual(["v1.0.0", "v1.0.1"]);
    expect(await catalog.latestVersion()).toBe("v1.0.1");
    expect(await catalog.listRuns("v1.0.0")).toHaveLength(2);
    expect(await catalog.listRuns()).toHaveLength(3);
    expect((await catalog.latestRun()).experimentId).toMatch(/^measured\/v1\.0\.1\//);
    expect(Object.keys(await catalog.listResultsFiles()).sort()).toEqual([
      "errors",
      "result_file_refs",
      "scalars",
      "steps",
    ]);
    expect(await scythe.listNames()).toEqual(["measured"]);
  });

  it("finds the latest run behind a later version whose allocation was abandoned", async () => {
    const abandoned = "measured/v9.0.0/2030-01-01_00-00-00/state.yml";
    await scythe.storage.put(abandoned, "status: allocating\n");
    expect((await scythe.experiment(measured).latestRun()).experimentId).toMatch(/^measured\/v1\.0\.1\//);
    await scythe.storage.delete([abandoned]);
  });

  it("finds a run by every name that it has", async () => {
    const [first, second] = await scythe.experiment(measured).listRuns("v1.0.0");
    expect((await scythe.findRun(first!)).experimentId).toBe(first);
    expect((await scythe.findRun(first!.replace("/", "@"))).experimentId).toBe(first);
    expect((await scythe.findRun("measured@v1.0.0")).experimentId).toBe(second);
    expect((await scythe.findRun("measured")).experimentId).toMatch(/v1\.0\.1/);
    await expect(scythe.findRun("mesured")).rejects.toThrow('Did you mean "measured"?');
    await expect(scythe.findRun("measured@v9.0.0")).rejects.toMatchObject({ code: "not_found" });
  });

  it("gives typed rows, with files as URIs", async () => {
    const results = await scythe.experiment(measured).latestResults();
    const rows = await collect(results.rows());
    expect(rows.map((row) => row.twice)).toEqual([0, 2, 6]);
    expect(rows.map((row) => row.sort_index)).toEqual([0, 1, 3]);
    expect(rows[2]!.log).toMatch(/^file:\/\/.*\/results\/log\/[0-9a-f-]{36}\.log$/);
    expect(rows[2]!.plots).toHaveLength(2);
    expect(rows[2]).not.toHaveProperty("tags");
    const steps = await collect(results.table("steps"));
    expect(
      steps.map(({ sort_index, step, n_times, sort_subindex }) => [sort_index, step, n_times, sort_subindex]),
    ).toEqual([
      [1, 0, 0, 0],
      [3, 0, 0, 0],
      [3, 1, 3, 1],
      [3, 2, 6, 2],
    ]);
    const [error] = await collect(results.errors());
    expect(error).toMatchObject({ sort_index: 2, n: 2, kind: "error", message: "two is bad", attempts: 2 });
  });

  it("iterates over result files, all or one field's", async () => {
    const results = await scythe.experiment(measured).latestResults();
    const files = await collect(results.files());
    expect(files).toHaveLength(9);
    const plots = await collect(results.files("plots"));
    expect(plots.map(({ path }) => path!.replace(/.*-/, ""))).toEqual([
      "0.svg",
      "1.svg",
      "0.svg",
      "1.svg",
      "0.svg",
      "1.svg",
    ]);
    expect(readFileSync(plots[5]!.path!, "utf8")).toBe("3  from a file");
  });

  it("answers SQL over its tables and nothing else", async () => {
    const results = await scythe.experiment(measured).latestResults();
    expect(await results.query("SELECT sum(twice) AS s, count(*) AS n FROM scalars")).toEqual([{ s: 8, n: 3 }]);
    expect(await results.query("SELECT message FROM errors JOIN (SELECT 2 AS n) USING (n)")).toHaveLength(1);
    const secret = join(folder, "source.txt");
    for (const sql of [
      `SELECT * FROM read_text('${secret}')`,
      `COPY (SELECT 1) TO '${join(folder, "out.csv")}'`,
      "SET enable_external_access = true",
      "ATTACH '/tmp/other.db'",
      "SELECT nonsense FROM scalars",
    ]) {
      await expect(results.query(sql), sql).rejects.toMatchObject({ code: "invalid_input" });
    }
    expect(existsSync(join(folder, "out.csv"))).toBe(false);
  });

  it("runs one spec without a run", async () => {
    const before = await scythe.experiment(measured).listRuns();
    const once = await scythe.runOnce(measured, { n: 3, source: join(folder, "source.txt") });
    expect(once.output).toMatchObject({ twice: 6 });
    expect(readFileSync(once.output.log as string, "utf8")).toBe("3  from a file");
    expect(once.tables.steps).toHaveLength(3);
    expect(once.logs).toEqual(["n is 3"]);
    rmSync(once.tempDir, { recursive: true });
    await expect(scythe.runOnce(measured, { n: 2 })).rejects.toThrow("two is bad");
    await expect(scythe.runOnce(measured, { n: 0.5 })).rejects.toMatchObject({ code: "invalid_specs" });
    expect(await scythe.experiment(measured).listRuns()).toEqual(before);
  });

  it("keeps logs for whoever looks", async () => {
    const run = await scythe.experiment(measured).latestRun();
    const events = await collect(scythe.storage.list(`${run.experimentId}/scatter-gather/events/`));
    const logs = await Promise.all(
      events.map(async ({ key }) => JSON.parse(new TextDecoder().decode((await scythe.storage.get(key)).body))),
    );
    expect(logs.flatMap(({ logs }) => logs).map(({ message }: { message: string }) => message)).toContain("n is 3");
    expect(logs.flatMap(({ failures }) => failures)).toMatchObject([{ sort_index: 2, message: "two is bad" }]);
  });

  it("lets inputs be named like the columns of errors.pq", async () => {
    const named = defineExperiment({
      name: "named",
      input: z.object({ name: z.string(), kind: z.number() }),
      output: z.object({ message: z.string() }),
      run: ({ name }) => {
        if (name === "bad") throw new TypeError("no");
        return { message: name };
      },
    });
    await using own = await openProject({ experiments: [named], storage: join(folder, "named") });
    const specs = ["good", "bad"].map((name, kind) => ({ name, kind }));
    const results = await (await own.allocate(named, specs)).result();
    expect(await results.query("SELECT name, kind, error_name, error_kind, message FROM errors")).toEqual([
      { name: "bad", kind: 1, error_name: "TypeError", error_kind: "error", message: "no" },
    ]);
  });

  it("puts a run under another name", async () => {
    const run = await scythe.allocate(measured, [{ n: 1 }], { runName: "renamed" });
    await run.result();
    expect(run.experimentId).toMatch(/^renamed\/v1\.0\.0\//);
    expect((await scythe.findRun("renamed")).manifest.experiment_name).toBe("measured");
  });
});
