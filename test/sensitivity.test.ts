import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { defineExperiment, openProject, type Scythe } from "scythe-ts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { describeRun } from "../src/analysis/describe.ts";
import * as models from "../src/analysis/known-models.testsuite.ts";
import { readObservations } from "../src/analysis/read-observations.ts";
import type { RunTables } from "../src/analysis/run-tables.ts";
import { sensitivityOf } from "../src/analysis/sensitivity.ts";
import { sensitivityParquet, sensitivityRows } from "../src/analysis/sensitivity-rows.ts";
import { sobolIndices } from "../src/analysis/sobol-indices.ts";
import { findPython } from "./python.ts";

const model = models.ishigami();
const BASE_POINTS = 64;
const ROWS = 8;
const points = models.crossedPoints(3, BASE_POINTS, 7, true);
const LOST = [9, 20]; // base points in which specs fail
const HOLE = 0.98; // above it, one of the outputs is null
const holes = points.filter(([x1], i) => x1! > HOLE && !LOST.some((block) => i === block * ROWS + 3)).length;

const measured = defineExperiment({
  name: "ishigami",
  input: z.object({ x1: z.number(), x2: z.number(), x3: z.number(), breaks: z.boolean() }),
  output: z.object({ y: z.number(), sum: z.number().nullable(), note: z.string() }),
  retries: 0,
  run({ x1, x2, x3, breaks }) {
    if (breaks) throw new Error("it does not converge");
    return { y: model.value([x1, x2, x3]), sum: x1 > HOLE ? null : x1 + x2, note: "done" };
  },
});

describe("a run", () => {
  const folder = mkdtempSync(join(tmpdir(), "scythe-analysis-"));
  const python = findPython("pandas", "pyarrow");
  let scythe: Scythe;
  let tables: RunTables;
  beforeAll(async () => {
    scythe = await openProject({ experiments: [measured], storage: join(folder, "data") });
    const specs = points.map(([x1, x2, x3], i) => ({
      ...{ x1: x1!, x2: x2!, x3: x3! },
      breaks: LOST.some((block) => i === block * ROWS + 3),
    }));
    const results = await (await scythe.allocate(measured, specs, { seed: 1 })).result();
    const files = await results.listResultsFiles();
    tables = { scalars: fileURLToPath(files.scalars!), errors: fileURLToPath(files.errors!) };
  });
  afterAll(async () => {
    await scythe.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const inputs = ["x1", "x2", "x3"];
  const sensitivity = async () =>
    sensitivityOf(await readObservations(tables), { kind: "saltelli", inputs, secondOrder: true }, { seed: 2 });

  it("has the indices of its whole base points, from its tables alone", async () => {
    const found = await sensitivity();
    expect(found.specs).toEqual({ planned: BASE_POINTS * ROWS, withResults: BASE_POINTS * ROWS - 2 });
    expect(found.skipped).toEqual([{ name: "note", reason: expect.stringContaining("text") }]);
    const y = found.outputs.find(({ output }) => output === "y")!;
    expect(y.blocks).toEqual({ planned: BASE_POINTS, used: BASE_POINTS - 2, failed: 2, missing: 0 });
    const holed = new Set([...points.keys()].filter((i) => points[i]![0]! > HOLE).map((i) => Math.floor(i / ROWS)));
    const missing = [...holed].filter((block) => !LOST.includes(block)).length;
    const sum = found.outputs.find(({ output }) => output === "sum")!;
    expect(missing).toBeGreaterThan(0);
    expect(sum.blocks).toEqual({ planned: BASE_POINTS, used: BASE_POINTS - 2 - missing, failed: 2, missing });
    const whole = points.filter((_, i) => !LOST.includes(Math.floor(i / ROWS)));
    const shape = { dimensions: 3, secondOrder: true };
    const [expected] = sobolIndices([models.valuesAt(model, whole)], shape, { seed: 2 });
    const values = y.indices.map(({ value }) => value);
    expect(values).toEqual([...expected!.first, ...expected!.total, ...expected!.second]);
    const widths = y.indices.map(({ halfWidth }) => halfWidth);
    const { firstHalfWidth, totalHalfWidth, secondHalfWidth } = expected!;
    expect(widths).toEqual([...firstHalfWidth, ...totalHalfWidth, ...secondHalfWidth]);
  });

  it("gives its indices as a table", async () => {
    const found = await sensitivity();
    const rows = sensitivityRows(found);
    expect(rows).toHaveLength(found.outputs.length * (3 + 3 + 3));
    const { value, halfWidth } = found.outputs[0]!.indices[0]!;
    expect(rows[0]).toEqual({
      ...{ output: "y", index: "S1", input: "x1", with: null, value, half_width: halfWidth, method: "sobol" },
      ...{ low: value! - halfWidth!, high: value! + halfWidth!, blocks_used: 62n, blocks_planned: 64n },
    });
  });

  it.skipIf(!python)("as Parquet, which pandas reads with its index", async () => {
    const found = await sensitivity();
    const file = join(folder, "sensitivity.pq");
    writeFileSync(file, sensitivityParquet(found));
    const script = `
import json, sys, pandas as pd
df = pd.read_parquet(sys.argv[1])
print(json.dumps([df.index.names, list(df.columns), len(df), df["value"].sum(), int(df["blocks_used"].iloc[0])]))`;
    const [names, columns, count, sum, used] = JSON.parse(
      execFileSync(python!, ["-c", script, file], { encoding: "utf8" }),
    );
    const rows = sensitivityRows(found);
    expect(names).toEqual(["output", "index", "input", "with"]);
    expect(columns).toEqual(["value", "half_width", "low", "high", "method", "blocks_used", "blocks_planned"]);
    expect([count, used]).toEqual([rows.length, 62]);
    expect(sum).toBeCloseTo(
      rows.reduce((all, { value }) => all + value!, 0),
      9,
    );
  });

  it("is described, with where it fails", async () => {
    const { specs, outputs, failures } = await describeRun(tables, { inputs: ["x1", "breaks"] });
    expect(specs).toEqual({ planned: 512, succeeded: 510, failed: 2 });
    expect(outputs.map(({ output, n }) => [output, n])).toEqual([
      ["y", 510],
      ["sum", 510 - holes],
    ]);
    expect(failures.find(({ input }) => input === "breaks")!.regions).toEqual([
      { level: "false", specs: 510, failed: 0, share: 0 },
      { level: "true", specs: 2, failed: 2, share: 1 },
    ]);
  });
});
