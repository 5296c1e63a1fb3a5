import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { findConfig, loadConfig, readSettings } from "./config.ts";
import { temporaryRoot } from "./private-folder.ts";

/** As a user's project finds it: the built package. */
const PACKAGE = fileURLToPath(new URL("../dist/index.js", import.meta.url));
const ZOD = fileURLToPath(import.meta.resolve("zod"));
const CONFIG = `
  import { z } from ${JSON.stringify(ZOD)};
  import { defineConfig, defineExperiment } from ${JSON.stringify(PACKAGE)};
  const shape: Record<string, z.ZodType> = { x: z.number() };
  const study = defineExperiment({ name: "study", input: z.object(shape), output: z.object({ y: z.number() }), run: () => ({ y: 1 }) });
  export default defineConfig({ experiments: [study], storage: "./data", slots: 3 });
`;

let root: string;
let files = 0;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "scythe-config-"));
});
afterAll(() => rm(root, { recursive: true, force: true }));
afterEach(() => vi.unstubAllEnvs());

const project = async (content: string, name = "scythe.config.ts") => {
  const folder = join(root, `project-${files++}`);
  await mkdir(join(folder, "deep", "er"), { recursive: true });
  await writeFile(join(folder, name), content);
  return folder;
};

describe("loadConfig", () => {
  it("keeps the compiled config where no other user can change it", async () => {
    const folder = await project(CONFIG);
    const shared = join(folder, "tmp");
    await mkdir(shared);
    vi.stubEnv("TMPDIR", shared);
    await loadConfig(folder);
    expect(await readdir(shared)).toEqual([basename(temporaryRoot())]);
    expect((await readdir(join(temporaryRoot(), "jiti"))).join()).toContain("scythe.config");
  });

  it("finds the config at a folder, above it, or by its own path or URL", async () => {
    const folder = await project(CONFIG);
    const path = join(folder, "scythe.config.ts");
    for (const where of [folder, join(folder, "deep", "er"), path, pathToFileURL(path), pathToFileURL(folder)]) {
      const loaded = await loadConfig(where);
      expect(loaded).toMatchObject({ path, folder });
      expect(loaded.config.experiments.map(({ name }) => name)).toEqual(["study"]);
    }
  });

  it("takes plain JavaScript", async () => {
    const folder = await project(CONFIG.replace(": Record<string, z.ZodType>", ""), "scythe.config.mjs");
    expect((await loadConfig(folder)).config.slots).toBe(3);
    expect(findConfig(folder)).toBe(join(folder, "scythe.config.mjs"));
  });

  it("says where it looked, and does not take another project's for a path that is not there", async () => {
    await expect(loadConfig(root)).rejects.toMatchObject({ code: "not_found", message: expect.stringContaining(root) });
    const folder = await project(CONFIG);
    const typo = join(folder, "deep", "scythe.confg.ts");
    await expect(loadConfig(typo)).rejects.toMatchObject({ code: "not_found", message: expect.stringContaining(typo) });
  });

  it.each([
    ["export default 3;", "does not export a config"],
    ["export const config = {};", "does not export a config"],
    ["export default { experiments: {} };", "does not export a config"],
    ['export default { experiments: [{ name: "raw" }] };', "must come from defineExperiment"],
    ["export default { experiments: [undefined] };", "must come from defineExperiment"],
    ["throw new Error('my own mistake');", "my own mistake"],
    ["export default {", "could not be loaded"],
    ['import "./no-such-file.ts"; export default {};', "no-such-file"],
  ])("tells what is wrong with %s", async (content, problem) => {
    const folder = await project(content);
    await expect(loadConfig(folder)).rejects.toMatchObject({
      code: "invalid_definition",
      message: expect.stringContaining(problem),
    });
    await expect(loadConfig(folder)).rejects.toThrow(join(folder, "scythe.config.ts"));
  });

  it("lets an experiment's own complaint through as it is", async () => {
    const folder = await project(CONFIG.replace('name: "study"', 'name: "bad name"'));
    await expect(loadConfig(folder)).rejects.toMatchObject({
      code: "invalid_definition",
      message: expect.stringContaining('"bad name"'),
    });
  });
});

describe("readSettings", () => {
  const loaded = (config: object = {}) => ({ config: { experiments: [], ...config }, folder: "/project" });

  it("has defaults", () => {
    for (const name of ["SCYTHE_STORAGE_BUCKET", "SCYTHE_WORKER_SLOTS", "SCYTHE_WORKER_NAME"])
      vi.stubEnv(name, undefined);
    vi.stubEnv("SCYTHE_TIMEOUT_EXPERIMENT_EXECUTION", undefined);
    expect(readSettings(loaded())).toMatchObject({
      storage: join("/project", "scythe-data"),
      engine: "local",
      slots: undefined,
      workerName: "ScytheWorker--Local",
      executionTimeoutMs: 60_000,
    });
  });

  it("takes override before environment before config", () => {
    const config = loaded({ storage: "from-config", slots: 2, engine: "inline" });
    expect(readSettings(config)).toMatchObject({
      storage: join("/project", "from-config"),
      slots: 2,
      engine: "inline",
    });
    vi.stubEnv("SCYTHE_STORAGE_BUCKET", "bucket");
    vi.stubEnv("SCYTHE_WORKER_SLOTS", "5");
    vi.stubEnv("SCYTHE_WORKER_NAME", "ScytheWorker--FlyIAD");
    vi.stubEnv("SCYTHE_TIMEOUT_EXPERIMENT_EXECUTION", "90s");
    expect(readSettings(config)).toMatchObject({
      storage: "s3://bucket/scythe",
      slots: 5,
      workerName: "ScytheWorker--FlyIAD",
      executionTimeoutMs: 90_000,
    });
    vi.stubEnv("SCYTHE_STORAGE_BUCKET_PREFIX", "mine");
    expect(readSettings(config).storage).toBe("s3://bucket/mine");
    const overrides = { storage: "/elsewhere", slots: 7, engine: "local" };
    expect(readSettings(config, overrides)).toMatchObject(overrides);
  });

  it("leaves URIs as they are, and takes empty variables for none", () => {
    vi.stubEnv("SCYTHE_STORAGE_BUCKET", "");
    vi.stubEnv("SCYTHE_WORKER_SLOTS", "");
    expect(readSettings(loaded({ storage: "s3://b/p" }))).toMatchObject({ storage: "s3://b/p", slots: undefined });
    expect(readSettings(loaded({ storage: "/absolute" })).storage).toBe("/absolute");
  });

  it.each(["0", "-1", "1.5", "many"])("refuses %s slots by the variable's name", (slots) => {
    vi.stubEnv("SCYTHE_WORKER_SLOTS", slots);
    expect(() => readSettings(loaded())).toThrow(`SCYTHE_WORKER_SLOTS must be a whole number above 0, not "${slots}"`);
  });

  it.each(["soon", "-5s", "0", "30d"])("refuses %s as a timeout by the variable's name", (timeout) => {
    vi.stubEnv("SCYTHE_TIMEOUT_EXPERIMENT_EXECUTION", timeout);
    expect(() => readSettings(loaded())).toThrow("SCYTHE_TIMEOUT_EXPERIMENT_EXECUTION");
  });
});
