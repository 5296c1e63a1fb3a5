import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type CliProject, cliProject } from "./cli-project.ts";

/** Whatever the first spec lacks: optional inputs, extras, features, outputs, files. */
const CONFIG = `
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { defineConfig, defineExperiment, fileRef, table } from "scythe-ts";
import { z } from "zod";

const sparse = defineExperiment({
  name: "sparse",
  input: z.looseObject({ n: z.number().int(), note: z.string().optional(), at: z.date().optional() }),
  output: z.object({
    twice: z.number().optional(),
    tags: z.array(z.string()).optional(),
    log: fileRef().optional(),
    plots: z.array(fileRef()).optional(),
  }),
  tables: { steps: table(z.object({ step: z.number().int(), mark: z.string().optional() }), { index: ["step"] }) },
  computedFeatures: ({ n }) => (n === 0 ? {} : { parity: n % 2 === 0 ? "even" : "odd" }),
  retries: 0,
  run({ n }, ctx) {
    if (n === 3) throw new Error("three is bad");
    if (n === 0) return { tables: { steps: [{ step: 0 }] } };
    const write = (name) => { writeFileSync(join(ctx.tempDir, name), String(n)); return name; };
    return { twice: 2 * n, tags: ["a"], log: write("a.log"), plots: [write("b.svg")], tables: { steps: [{ step: 1, mark: "m" }] } };
  },
});
export default defineConfig({ experiments: [sparse] });
`;

const IDS = ["experiment_id", "sort_index", "workflow_run_id", "root_workflow_run_id"];
const INPUTS = [...IDS, "n", "note", "at", "extra", "parity"];
const COLUMNS = {
  scalars: [...INPUTS, "twice", "tags", "log", "plots"],
  steps: [...INPUTS, "step", "sort_subindex", "mark"],
  errors: [...INPUTS, "kind", "name", "message", "stack", "attempts", "worker", "duration"],
  result_file_refs: [...INPUTS, "log", "plots"],
};

describe("the columns of a table", () => {
  let project: CliProject;
  beforeAll(async () => {
    project = cliProject(CONFIG);
    const specs = [{ n: 0 }, { n: 1, note: "one", at: "2024-01-02T00:00:00Z", extra: 7 }, { n: 3, extra: 8 }];
    writeFileSync(join(project.folder, "specs.json"), JSON.stringify(specs.map(({ at, ...rest }) => rest)));
    const ended = await project.scythe("run", "sparse", "specs.json", "--engine", "inline");
    expect(ended.err).toContain("1 of 3 specs failed");
  });
  afterAll(() => project.remove());

  it.each(Object.entries(COLUMNS))("are the same as text, CSV, JSON and in SQL: %s", async (table, columns) => {
    const results = (...flags: string[]) => project.scythe("results", "sparse", ...flags);
    const sql = ["--sql", `select * from ${table} order by sort_index`];
    const [csv, array, object, text, sqlCsv, sqlArray, sqlText] = await Promise.all([
      results("--table", table, "--format", "csv"),
      results("--table", table, "--format", "json"),
      results("--table", table, "--json"),
      results("--table", table),
      results(...sql, "--format", "csv"),
      results(...sql, "--format", "json"),
      results(...sql),
    ]);
    const header = ({ out }: { out: string }) => out.split("\n")[0]!.split(",");
    expect(header(csv)).toEqual(columns);
    expect(header(sqlCsv)).toEqual(columns);
    for (const { out } of [text, sqlText]) expect(out.split("\n")[0]!.trim().split(/ +/)).toEqual(columns);
    const told = JSON.parse(object.out);
    expect(told.columns).toEqual(columns);
    for (const rows of [JSON.parse(array.out), told.rows, JSON.parse(sqlArray.out)]) {
      expect(rows.length).toBeGreaterThan(0);
      for (const row of rows) expect(Object.keys(row)).toEqual(columns);
    }
    expect(JSON.parse(sqlArray.out)).toEqual(JSON.parse(array.out));
  });

  it("are there in a CSV without rows", async () => {
    const none = await project.scythe(
      "results",
      "sparse",
      "--sql",
      "select n, twice from scalars where n > 9",
      "--format",
      "csv",
    );
    expect(none.out).toBe("n,twice\n");
  });

  it("do not depend on the project: a storage alone has the file outputs, too", async () => {
    const args = ["results", "sparse", "--storage", join(project.folder, "scythe-data"), "--format", "csv"];
    const { out } = await project.scytheWith({ cwd: project.root }, ...args);
    expect(out.split("\n")[0]!.split(",")).toEqual(COLUMNS.scalars);
    expect(out).toMatch(/results\/log\/.*\.log/);
  });

  it("are read beside files that are none of the run's", async () => {
    const id = (await project.json("show", "sparse", "--json")).experiment_id;
    const final = join(project.folder, "scythe-data", id, "final");
    for (const name of [".DS_Store", "._scalars.pq", "scalars (copy).pq", "notes.txt"])
      writeFileSync(join(final, name), "x");
    const counted = await project.scythe(
      "results",
      "sparse",
      "--sql",
      "select count(*) as n from scalars",
      "--format",
      "csv",
    );
    expect(counted).toMatchObject({ code: 0, out: "n\n2\n" });
    const { tables } = await project.json("results", "sparse", "--json");
    expect(tables.map(({ name }: { name: string }) => name).sort()).toEqual(Object.keys(COLUMNS).sort());
    expect((await project.scythe("diff", "sparse", "sparse")).code).toBe(0);
    expect((await project.scythe("errors", "sparse")).out).toContain("three is bad");
  });
});
