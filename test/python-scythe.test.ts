import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openProject, type Scythe } from "scythe-ts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runCli } from "./cli.ts";
import { collect } from "./collect.ts";
import { findPython } from "./python.ts";
import { startS3Server } from "./servers/s3-server.ts";

const lifespan = fileURLToPath(new URL("../examples/lifespan", import.meta.url));
const script = fileURLToPath(new URL("./python_scythe.py", import.meta.url));

/** Python Scythe makes a Hatchet client when it is imported; a token that leads nowhere is enough to read a bucket. */
const claims = { sub: "tenant", exp: 4e9, server_url: "http://127.0.0.1:1", grpc_broadcast_address: "127.0.0.1:1" };
const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
const token = `${encode({ alg: "none" })}.${encode(claims)}.${Buffer.from("none").toString("base64url")}`;

const python = findPython("scythe");
const server = python ? await startS3Server() : undefined;

describe.skipIf(!server)("beside Python Scythe in one bucket", () => {
  const folder = mkdtempSync(join(tmpdir(), "scythe-python-"));
  let bucket: string;
  let scythe: Scythe;
  let env: NodeJS.ProcessEnv;
  beforeAll(async () => {
    Object.assign(process.env, server!.env);
    bucket = await server!.createBucket();
    env = {
      ...process.env,
      AWS_DEFAULT_REGION: "us-east-1",
      HATCHET_CLIENT_TOKEN: token,
      HATCHET_CLIENT_TLS_STRATEGY: "none",
      SCYTHE_STORAGE_BUCKET: bucket,
      SCYTHE_STORAGE_BUCKET_PREFIX: "shared",
    };
    scythe = await openProject(lifespan, { storage: `s3://${bucket}/shared` });
  });
  afterAll(async () => {
    await scythe?.close();
    await server?.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  const inPython = (what: string) => JSON.parse(execFileSync(python!, [script, what], { env, encoding: "utf8" }));

  it("our runs are its runs", async () => {
    for (const version of ["bumpminor", "keep", "bumpmajor"]) {
      await (await scythe.allocate("lifespan", join(lifespan, "specs.csv"), { version })).result();
    }
    const run = await scythe.experiment("lifespan").latestRun();
    const seen = inPython("read");
    expect(seen.versions).toEqual(["v1.0.0", "v2.0.0"]);
    expect(seen.latest).toBe("v2.0.0");
    expect(seen.runs).toEqual([run.experimentId]);
    expect(Object.keys(seen.files).sort()).toEqual(["errors", "scalars", "survival"]);
    expect(seen.files.scalars).toBe(`shared/${run.experimentId}/final/scalars.pq`);
    expect(seen.manifest).toMatchObject({ experiment_id: run.experimentId, experiment_name: "lifespan" });
    expect(seen.manifest.specs_uri).toBe(`s3://${bucket}/shared/${run.experimentId}/specs.pq`);
    expect(seen.specs[0]).toBe(40);
    expect(seen.specs[3]).toContain(`s3://${bucket}/shared/${run.experimentId}/artifacts/coefficients/`);
    const ids = ["experiment_id", "sort_index", "workflow_run_id", "root_workflow_run_id"];
    expect(seen.tables.scalars).toMatchObject({ rows: 40, index: expect.arrayContaining([...ids, "age", "weight"]) });
    expect(seen.tables.errors.rows).toBe(0);
    expect(seen.io_spec).toEqual(["input", "output"]);
  });

  it("its runs are ours: list, rows, SQL, download", async () => {
    const { experiment_id } = inPython("write");
    const catalog = scythe.experiment("from_python");
    expect(await catalog.listVersions()).toEqual(["v2.1.0"]);
    expect(await catalog.listRuns()).toEqual([experiment_id]);
    const results = await catalog.latestResults();
    const rows = (await collect(results.rows())) as unknown as Record<string, unknown>[];
    expect(
      rows.map(({ sort_index, n, name, parity, half, maybe }) => [sort_index, n, name, parity, half, maybe]),
    ).toEqual([
      [0, 0, "é 0 😀", "even", 0, 0],
      [1, 1, "é 1 😀", "odd", 0.5, null],
      [2, 2, "é 2 😀", "even", 1, 2],
      [3, 3, "é 3 😀", "odd", 1.5, null],
      [4, 4, "é 4 😀", "even", 2, 4],
    ]);
    expect(rows[1]).toMatchObject({
      workflow_run_id: "run-1",
      root_workflow_run_id: "root",
      when: "2024-01-02T00:00:00",
    });
    expect(await results.query("SELECT count(*) AS n, sum(step) AS s FROM steps")).toEqual([{ n: 10, s: 5 }]);

    const certificate = await scythe.audit.verify("from_python");
    expect(certificate).toMatchObject({ result: "verified", made_by: null, seed: null, problems: [] });
    const statuses = Object.fromEntries(certificate.checks.map(({ name, status }) => [name, status]));
    expect(statuses).toMatchObject({
      descriptions: "unchecked",
      files: "unchecked",
      counts: "unchecked",
      tables: "ok",
    });
    expect(certificate.files.find(({ path }) => path === "final/scalars.pq")).toMatchObject({ recorded: false });

    const command = async (...args: string[]) => {
      const { code, out, err } = await runCli(args, { cwd: lifespan, env: { ...env, SCYTHE_STORAGE_BUCKET: "" } });
      expect(code, err).toBe(0);
      return out;
    };
    const at = ["--storage", `s3://${bucket}/shared`];
    expect(await command("list", "from_python", ...at)).toContain("v2.1.0");
    expect(await command("show", "from_python", ...at)).toContain(experiment_id);
    await command("download", "from_python", "--to", folder, ...at);
    const files = (readdirSync(join(folder, experiment_id), { recursive: true }) as string[]).sort();
    expect(files).toEqual(expect.arrayContaining(["final/scalars.pq", "final/steps.pq", "manifest.yml", "specs.pq"]));
    expect(files.filter((path) => path.includes("task-dataframes"))).toEqual([]);
  });

  it("its specs file can be allocated as it is", async () => {
    const [python_run] = await scythe.experiment("from_python").listRuns();
    const path = join(folder, "specs.pq");
    await scythe.storage.getFile(`${python_run}/specs.pq`, path);
    const { defineExperiment } = await import("scythe-ts");
    const { z } = await import("zod");
    const again = defineExperiment({
      name: "again",
      input: z.object({ n: z.number().int(), name: z.string(), when: z.coerce.date() }),
      output: z.object({ half: z.number() }),
      run: ({ n }) => ({ half: n / 2 }),
    });
    await using own = await openProject({ experiments: [again], storage: join(folder, "own") });
    const results = await (await own.allocate(again, path)).result();
    expect((await collect(results.rows())).map(({ n, half, when }) => [n, half, when.getUTCDate()])).toEqual([
      [0, 0, 1],
      [1, 0.5, 2],
      [2, 1, 3],
      [3, 1.5, 4],
      [4, 2, 5],
    ]);
  });
});
