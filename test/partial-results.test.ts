import { once } from "node:events";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Ended } from "./cli.ts";
import { type CliProject, cliProject } from "./cli-project.ts";
import { until } from "./steered.ts";

/** Waits at spec 6 for the file `go`, so that what a run looks like until then can be seen at leisure. */
const CONFIG = `
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { defineConfig, defineExperiment, fileRef, table } from "scythe-ts";
import { z } from "zod";

const waits = defineExperiment({
  name: "waits",
  input: z.looseObject({ n: z.number().int(), note: z.string().optional(), at: z.coerce.date().optional(), big: z.bigint().default(2n ** 60n) }),
  output: z.object({ half: z.number(), even: z.boolean(), tags: z.array(z.string()), log: fileRef().optional(), plots: z.array(fileRef()) }),
  tables: { steps: table(z.object({ step: z.number().int(), mark: z.string().optional() }), { index: ["step"] }) },
  computedFeatures: ({ n }) => ({ parity: n % 2 === 0 ? "even" : "odd" }),
  retries: 0,
  executionTimeout: "5m",
  async run({ n }, ctx) {
    while (n === 6 && !existsSync("go")) await sleep(20);
    if (n === 2) throw new TypeError("two is bad");
    const write = (name) => { writeFileSync(join(ctx.tempDir, name), String(n)); return name; };
    const rows = Array.from({ length: n % 3 }, (_, step) => ({ step, mark: "m" + step }));
    return { half: n / 2, even: n % 2 === 0, tags: ["a", String(n)], log: write("a.log"), plots: [write("b.svg")], tables: { steps: rows } };
  },
});
export default defineConfig({ experiments: [waits] });
`;

const TABLES = ["scalars", "errors", "result_file_refs", "steps"];
type Row = Record<string, unknown>;

describe("a run that is not complete", () => {
  let project: CliProject;
  let id: string;
  let ended: Promise<Ended>;
  const during: Record<string, Row[]> = {};

  beforeAll(async () => {
    project = cliProject(CONFIG);
    const specs = Array.from({ length: 10 }, (_, n) => ({
      n,
      ...(n % 2 && { note: `is ${n}`, at: "2024-01-02", extra: n }),
    }));
    writeFileSync(join(project.folder, "specs.json"), JSON.stringify(specs));
    const args = ["run", "waits", "specs.json", "--slots", "1", "--chunk-size", "2"];
    const run = project.start(args);
    ended = run.ended;
    [id] = ((await once(run.stdout!, "data")) as string[]).map((text) => text.trim()) as [string];
    const counts = async () => (await project.json("show", id, "--json")) as { succeeded: number; failed: number };
    await until(async () => {
      const { succeeded, failed } = await counts();
      return succeeded + failed === 6;
    }, "the spec that waits");
  });
  afterAll(() => project.remove());

  it("gives the rows that stand, and says how many they are", async () => {
    for (const table of TABLES) {
      const told = await project.json("results", id, "--table", table, "--json");
      expect(told.partial).toEqual({ done: 6, allocated: 10 });
      during[table] = told.rows;
    }
    expect(during.scalars!.map(({ n }) => n)).toEqual([0, 1, 3, 4, 5]);
    const csv = await project.scythe("results", id, "--format", "csv");
    expect(csv.out.split("\n")).toHaveLength(7);
    expect(csv.err).toContain("partial: 6 of 10 specs");
    const sql = await project.scythe("results", id, "--sql", "select sum(half) as s from scalars", "--format", "csv");
    expect(sql.out).toBe("s\n6.5\n");
  });

  it("tells its failures", async () => {
    const errors = await project.json("errors", id, "--json");
    expect(errors).toMatchObject({ partial: { done: 6, allocated: 10 }, failed: 1, by_kind: { error: 1 } });
    expect(errors.errors[0]).toMatchObject({ sort_index: 2, name: "TypeError", message: "two is bad" });
    const shown = await project.scythe("show", id);
    expect(shown.out).toMatch(/partial +6 of 10 specs/);
    expect(shown.out).toMatch(/failures +error 1/);
    expect((await project.json("show", id, "--json")).failed_by_kind).toEqual({ error: 1 });
  });

  it("gives the same to whoever has no code of it", async () => {
    const storage = ["--storage", join(project.folder, "scythe-data")];
    for (const table of TABLES) {
      const { out } = await project.scytheWith(
        { cwd: project.root },
        "results",
        id,
        "--table",
        table,
        "--json",
        ...storage,
      );
      const byIndex = ({ sort_subindex, step, mark, ...rest }: Row) => ({ ...rest, sort_subindex, step, mark });
      expect(JSON.parse(out).rows.map(byIndex)).toEqual(during[table]!.map(byIndex));
    }
  });

  it("tells them when it was stopped, and the finished tables hold the same rows", async () => {
    expect((await project.scythe("cancel", id, "--now")).code).toBe(0);
    const stopped = await ended;
    expect(stopped.code).toBe(5);
    expect(stopped.err).toMatch(/kinds +error 1/);
    expect(stopped.err).toContain("spec 2  error  two is bad");
    expect((await project.json("errors", id, "--json")).failed).toBe(1);
    writeFileSync(join(project.folder, "go"), "");
    const outcome = await project.json("resume", id, "--json");
    expect(outcome).toMatchObject({ status: "complete", failed: 1, succeeded: 9 });
    for (const table of TABLES) {
      const { partial, rows } = await project.json("results", id, "--table", table, "--json");
      expect(partial).toBeNull();
      expect(rows).toEqual(expect.arrayContaining(during[table]!));
    }
  });

  it("stopped by its failures, says which they were", async () => {
    const args = ["run", "waits", "specs.json", "--max-failures", "0", "--chunk-size", "1", "--slots", "1", "--json"];
    const { code, out } = await project.scythe(...args);
    expect(code).toBe(5);
    const outcome = JSON.parse(out);
    expect(outcome).toMatchObject({ status: "cancelled", failed: 1, failed_by_kind: { error: 1 } });
    expect(outcome.failures).toEqual([{ sort_index: 2, kind: "error", message: "two is bad" }]);
    const errors = await project.json("errors", outcome.experiment_id, "--json");
    expect(errors.failed).toBe(1);
  });

  it("has empty tables before its first part", async () => {
    const args = ["run", "waits", "--set", "n=6", "--slots", "1"];
    rmSync(join(project.folder, "go"));
    const run = project.start(args);
    const [first] = ((await once(run.stdout!, "data")) as string[]).map((text) => text.trim());
    const told = await project.json("results", first!, "--json");
    expect(told).toMatchObject({ partial: { done: 0, allocated: 1 }, rows: [] });
    expect(told.columns).toContain("half");
    expect((await project.scythe("errors", first!)).err).toContain("has no failed specs so far");
    writeFileSync(join(project.folder, "go"), "");
    expect((await run.ended).code).toBe(0);
  });
});
