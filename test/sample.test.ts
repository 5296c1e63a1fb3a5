import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openProject, type Scythe } from "scythe-ts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readSpecFile } from "../src/spec-file/read.ts";
import { canonicalTables } from "./canonical.ts";
import type { CliProject } from "./cli-project.ts";
import { designProject, FILES } from "./design-project.ts";
import { findPython } from "./python.ts";

let project: CliProject;
let opened: Scythe;
const scythe = (...args: string[]) => project.scythe(...args);

beforeAll(async () => {
  project = designProject();
  opened = await openProject(project.folder);
});
afterAll(async () => {
  await opened?.close();
  project?.remove();
});

const REQUEST = { n: 64, seed: 7, space: { source: "files:a.txt,b.txt", x: "loguniform:1e-7,1.5" } };
const FLAGS = ["-n", "64", "--seed", "7", ...FILES, "x=loguniform:1e-7,1.5"];
const inProject = (name: string) => join(project.folder, name);

describe("specs in a file", () => {
  const python = findPython("pandas", "pyarrow");

  it.each(["parquet", "csv", "jsonl"])("%s are the same specs to the last bit", async (format) => {
    const file = `bits.${format}`;
    const { code, out, err } = await scythe("sample", "all", ...FLAGS, "-o", file);
    expect({ code, out, err }).toEqual({ code: 0, out: "", err: `64 specs in ${file}\n` });
    const design = await opened.design("all", REQUEST, { folder: project.folder });
    const specs = [...design.design.specs()];
    expect(specs).toHaveLength(64);
    const read: Record<string, unknown>[] = [];
    for await (const { value } of readSpecFile(inProject(file), opened.registry.get("all").columns.input)) {
      read.push(value as Record<string, unknown>);
    }
    for (const [i, spec] of specs.entries()) {
      for (const [name, value] of Object.entries(spec)) {
        const found = read[i]![name];
        if (typeof value === "number") expect(Object.is(Number(found), value), `${name} of ${i}`).toBe(true);
        else expect(String(found), `${name} of ${i}`).toBe(String(value));
      }
    }

    const run = (...args: string[]) => scythe("run", "all", "--seed", "7", ...args).then(({ out: id }) => id.trim());
    const tables = async (id: string) => canonicalTables(await (await opened.findRun(id)).openResults());
    expect(await tables(await run("--specs", file))).toEqual(await tables(await run(...FLAGS)));
  });

  it("lack an optional field that is left out", async () => {
    for (const format of ["parquet", "csv", "jsonl"]) {
      const file = `left-out.${format}`;
      await scythe("sample", "all", ...FLAGS, "--fix", "gain=", "-o", file);
      const { code, out } = await scythe("run", "all", "--specs", file);
      expect(code).toBe(0);
      const results = await (await opened.findRun(out.trim())).openResults();
      expect(await results.query("SELECT count(gain)::int AS gains, count(*)::int AS n FROM scalars")).toEqual([
        { gains: 0, n: 64 },
      ]);
    }
  });

  it("that lie in another folder name the same input files", async () => {
    execFileSync("mkdir", [inProject("tables")]);
    for (const format of ["parquet", "csv", "jsonl"]) {
      const file = join("tables", `specs.${format}`);
      await scythe("sample", "all", ...FLAGS, "-n", "4", "-o", file);
      expect(await scythe("run", "all", "--specs", file)).toMatchObject({ code: 0 });
    }
  });

  it("are the points after those that are skipped", async () => {
    for (const experiment of ["all", "partly"]) {
      const specs = async (...args: string[]) => {
        const { code, out, err } = await scythe("sample", experiment, "--seed", "3", ...FILES, ...args);
        expect(code, err).toBe(0);
        return out;
      };
      const flags = ["--fix", "mode=plain"]; // a line is a spec then
      const [header, ...all] = (await specs("-n", "12", ...flags)).split("\n");
      const rest = (await specs("-n", "8", "--skip", "4", ...flags)).split("\n");
      expect(rest).toEqual([header, ...all.slice(4)]);
    }
  });

  it("are never half a file, and replace none unasked", async () => {
    for (const format of ["parquet", "csv", "jsonl"]) {
      const file = `there.${format}`;
      writeFileSync(inProject(file), "precious");
      const refused = await scythe("sample", "all", ...FLAGS, "-o", file);
      expect(refused).toMatchObject({ code: 2, err: expect.stringContaining("is there already") });
      const failed = await scythe("sample", "empty", "-n", "4", ...FILES, "-o", file, "--overwrite");
      expect(failed).toMatchObject({ code: 2, err: expect.stringContaining("None of 10000") });
      expect(readFileSync(inProject(file), "utf8")).toBe("precious");
      const unmade = await scythe("sample", "empty", "-n", "4", ...FILES, "-o", `none.${format}`);
      expect(unmade.code).toBe(2);
      expect(await scythe("sample", "all", ...FLAGS, "-o", file, "--overwrite")).toMatchObject({ code: 0 });
      expect(readFileSync(inProject(file), "utf8")).not.toBe("precious");
    }
    expect(readdirSync(project.folder).filter((name) => /^\.|none/.test(name))).toEqual([]);
    const { code, err } = await scythe("sample", "all", ...FLAGS, "-o", "specs.xlsx");
    expect({ code, err }).toMatchObject({ code: 2, err: expect.stringContaining("specs.xlsx") });
  });

  it.skipIf(!python)("are what pandas reads: integers as integers, numbers to the last bit", async () => {
    for (const format of ["parquet", "csv", "jsonl"]) await scythe("sample", "all", ...FLAGS, "-o", `pandas.${format}`);
    const script = `
import json, pandas as pd
text = {"code": str}
frames = [
    pd.read_parquet("pandas.parquet"),
    pd.read_csv("pandas.csv", dtype=text, float_precision="round_trip"),
    pd.read_json("pandas.jsonl", lines=True, dtype=text, precise_float=True),
]
for frame in frames:
    assert len(frame) == 64 and frame["k"].dtype == "int64" and frame["on"].dtype == "bool", frame.dtypes
pd.testing.assert_frame_equal(frames[0].astype(object), frames[1].astype(object), check_exact=True)
print(json.dumps([frames[0]["x"].tolist(), frames[0]["mode"].tolist(), frames[2]["code"].tolist()]))`;
    const read = JSON.parse(execFileSync(python!, ["-c", script], { cwd: project.folder, encoding: "utf8" }));
    const design = await opened.design("all", REQUEST, { folder: project.folder });
    const specs = [...design.design.specs()];
    expect(read).toEqual(["x", "mode", "code"].map((name) => specs.map((spec) => spec[name])));
  });
});

describe("a design that cannot be", () => {
  it.each([
    ["all", ["-n", "0"], "-n"],
    ["all", ["-n", "-4"], "-n"],
    ["all", ["-n", "1.5"], "-n"],
    ["all", ["--design", "sobol"], "n, the number of points"],
    ["all", ["-n", "9007199254740991"], "n, the number of points"],
    ["all", ["-n", "4", "--skip", "4294967295"], "ends after"],
    ["all", ["-n", "4", "--design", "sobl"], "sobol"],
    ["all", ["-n", "4", "--option", "scrambl=owen"], "scramble"],
    ["all", ["-n", "4", "--option", "scramble=own"], "scramble cannot be"],
    ["all", ["-n", "4", "--space", "xx=uniform:0,1"], 'no input "xx". Did you mean "x"?'],
    ["all", ["-n", "4", "--space", "x=unifrom:0,1"], "unifrom"],
    ["all", ["-n", "4", "--space", "x=uniform:1,0"], "x: "],
    ["all", ["-n", "4", "--space", "x=uniform:1,1"], "x: "],
    ["all", ["-n", "4", "--space", "x=uniform:0,7"], "leaves them"],
    ["all", ["-n", "4", "--space", "x=uniform:0,NaN"], "NaN"],
    ["all", ["-n", "4", "--space", "k=discrete:1=0.5,2=0.4"], "k: "],
    ["all", ["-n", "4", "--space", "k=discrete:1.5"], "k cannot be 1.5"],
    ["all", ["-n", "4", "--space", "mode=uniform:0,1"], "mode is no number"],
    ["all", ["-n", "4", "--space", "x"], "name=value"],
    ["all", ["-n", "4", "--fix", "x=1", "x=2"], "x twice"],
    ["all", ["-n", "4", "--fix", "mode=other"], 'mode cannot be "other"'],
    ["all", ["-n", "4", "--fix", "nothing=1"], 'no input "nothing"'],
    ["all", ["-n", "4", "--fix", "x="], "x cannot be null"],
    ["all", ["-n", "4", "--fix", "x=1", "--space", "x=uniform:0,1"], "x has both"],
    ["all", ["--design", "grid"], "levels"],
    ["empty", ["-n", "4"], "None of 10000 points fulfil the condition"],
    ["unbounded", ["-n", "4"], "--space label=discrete:a,b,c"],
    ["contrary", ["-n", "4"], "contradict each other"],
    ["single", ["-n", "4"], "nothing to vary"],
    ["al", ["-n", "4"], "all"],
  ])("is refused by name: %s %j", async (experiment, flags, problem) => {
    const files = ["all", "empty"].includes(experiment) ? FILES : [];
    for (const command of ["sample", "run"]) {
      if (command === "run" && flags.includes("--skip")) continue;
      const { code, out, err } = await scythe(command, experiment, ...files, ...flags);
      expect({ code, out, err }).toMatchObject({ code: 2, out: "", err: expect.stringContaining(problem) });
    }
  });

  it("leaves nothing in the storage", async () => {
    await scythe("run", "empty", "-n", "4", ...FILES);
    const { experiments } = await project.json("list");
    expect(experiments.find(({ name }: { name: string }) => name === "empty")).toMatchObject({ versions: [] });
  });
});
