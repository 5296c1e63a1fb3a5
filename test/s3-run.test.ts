import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openProject, type Results, s3Storage } from "scythe-ts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { canonicalTables } from "./canonical.ts";
import { runCli, spawnCli } from "./cli.ts";
import { collect } from "./collect.ts";
import { startFaultProxy } from "./servers/fault-proxy.ts";
import { type S3Server, startS3Server } from "./servers/s3-server.ts";

const fixture = fileURLToPath(new URL("./fixtures/troubled", import.meta.url));
const lifespan = fileURLToPath(new URL("../examples/lifespan", import.meta.url));
const server = await startS3Server();

describe.skipIf(!server)("a run in a bucket", () => {
  const folder = mkdtempSync(join(tmpdir(), "scythe-s3-run-"));
  const { endpoint, credentials, env } = server ?? ({} as S3Server);
  beforeAll(() => {
    for (const [name, value] of Object.entries({ ...env, SCYTHE_CACHE_DIR: join(folder, "cache") }))
      process.env[name] = value;
  });
  afterAll(async () => {
    rmSync(folder, { recursive: true, force: true });
    await server!.stop();
  });
  const specs = join(lifespan, "specs.csv");

  async function lifespanIn(
    storage: string,
  ): Promise<{ tables: Record<string, unknown[]>; results: Results; id: string }> {
    await using project = await openProject(lifespan, { storage, slots: 1 });
    const run = await project.allocate("lifespan", specs, { seed: 4 });
    const results = await run.result();
    return { tables: await canonicalTables(results), results, id: run.experimentId };
  }

  it("has the same tables as on disk, without a changed line", async () => {
    const bucket = await server!.createBucket();
    const here = await lifespanIn(join(folder, "local"));
    const there = await lifespanIn(`s3://${bucket}/studies`);
    expect(there.tables).toEqual(here.tables);
    expect(there.tables.scalars).toHaveLength(40);
    const files = await there.results.listResultsFiles();
    expect(files.scalars).toBe(`s3://${bucket}/studies/${there.id}/final/scalars.pq`);
  });

  it("writes few objects: parts, not specs", async () => {
    const bucket = await server!.createBucket();
    await using project = await openProject(fixture, { storage: `s3://${bucket}` });
    const many = Array.from({ length: 10_000 }, (_, n) => ({ n }));
    const run = await project.allocate("quick", many);
    expect((await run.result()).report).toMatchObject({ succeeded: 10_000 });
    expect((await collect(project.storage.list(""))).length).toBeLessThanOrEqual(100);
  });

  it("keeps each input file once, copied from an earlier run by the server", async () => {
    const bucket = await server!.createBucket();
    const proxy = await startFaultProxy(endpoint);
    const sources = ["a", "b", "c"].map((name) => join(folder, `${name}.json`));
    const example = JSON.parse(readFileSync(join(lifespan, "coefficients/women.json"), "utf8"));
    sources.forEach((path, i) => {
      writeFileSync(path, JSON.stringify({ ...example, i }).replace(/,"i":\d+/, " ".repeat(i + 1)));
    });
    const storage = s3Storage({ bucket, endpoint: proxy.endpoint, credentials });
    await using project = await openProject(lifespan, { storage, slots: 1 });
    const shared = Array.from({ length: 1_000 }, (_, n) => ({
      age: 20 + (n % 60),
      weight: 70,
      coefficients: sources[n % 3]!,
    }));
    const uploads: string[] = [];
    proxy.script = (request) => {
      const put = request.method === "PUT" && request.url!.includes("/artifacts/");
      if (put) uploads.push(request.headers["x-amz-copy-source"] ? "copy" : "upload");
      return undefined;
    };
    for (const version of ["bumpminor", "bumpminor"]) {
      const run = await project.allocate("lifespan", shared, { version });
      expect((await run.result()).report).toMatchObject({ succeeded: 1_000, failed: 0 });
      expect(await collect(storage.list(`${run.experimentId}/artifacts/`))).toHaveLength(3);
    }
    expect(uploads).toEqual(["upload", "upload", "upload", "copy", "copy", "copy"]);
    await proxy.close();
  });

  it("completes with the same tables while 30 % of all requests go wrong", async () => {
    const bucket = await server!.createBucket();
    const plan = Array.from({ length: 500 }, (_, n) => ({
      n,
      ...(n % 5 === 0 ? { bad: n % 50 === 0 ? "nan" : "file" } : {}),
    }));
    const calm = await openProject(fixture, { storage: join(folder, "calm") });
    const expected = await canonicalTables(await (await calm.allocate("quick", plan, { seed: 2 })).result());
    await calm.close();
    const harm = {
      slowDown: 0.1,
      serverError: 0.06,
      conflict: 0.03,
      resetBefore: 0.05,
      resetAfter: 0.03,
      truncate: 0.02,
      lostAnswer: 0.005,
      stallResponse: 0.005,
    };
    const proxy = await startFaultProxy(endpoint, { seed: 7, rates: harm });
    const storage = s3Storage({ bucket, endpoint: proxy.endpoint, credentials, limits: { stallMs: 500, pauseMs: 10 } });
    await using project = await openProject(fixture, { storage });
    const results = await (await project.allocate("quick", plan, { seed: 2, chunkSize: 50 })).result();
    expect(results.report).toMatchObject({ allocated: 500, succeeded: 490, failed: 10, missing: 0 });
    expect(await canonicalTables(results)).toEqual(expected);
    const injected = Object.values(proxy.injected).reduce((sum, count) => sum + count, 0);
    expect(injected).toBeGreaterThan(50);
    await proxy.close();
  }, 120_000);

  it("is made, listed and read by the command line, which says plainly when it may not", async () => {
    const bucket = await server!.createBucket();
    const at = ["--storage", `s3://${bucket}/p`];
    const cli = async (...args: string[]) => {
      const { code, out, err } = await runCli([...args, ...at], { cwd: lifespan });
      expect(code, err).toBe(0);
      return out;
    };
    const done = JSON.parse(await cli("run", "lifespan", "--specs", specs, "--json"));
    expect(done).toMatchObject({ succeeded: 40, failed: 0, uri: `s3://${bucket}/p/${done.experiment_id}` });
    expect(await cli("list", "lifespan")).toContain("v1.0.0");
    expect(await cli("results", "lifespan", "--sql", "SELECT count(*) AS n FROM scalars", "--format", "csv")).toMatch(
      /n\n40/,
    );

    const refused = await spawnCli(["list", ...at], {
      cwd: lifespan,
      env: { AWS_SECRET_ACCESS_KEY: "not-the-secret" },
    }).ended;
    expect(refused.code).toBe(4);
    expect(refused.err).toContain(bucket);
    expect(refused.err + refused.out).not.toMatch(/not-the-secret|test-[0-9a-f-]{36}(?!\/)\b.*secret/);
  });
});
