import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { packageVersion } from "../package.ts";
import { memoryStorage } from "../storage/memory.ts";
import { captureEnvironment } from "./environment.ts";
import { RunLayout } from "./layout.ts";
import { detailsOf, type Manifest, manifestText, readManifest } from "./manifest.ts";

const layout = new RunLayout({ name: "study", version: "v1.0.0", timestamp: "2026-01-02_03-04-05" });
const theirs = {
  workflow_run_id: "0b1c",
  experiment_id: layout.experimentId,
  experiment_name: "study",
  specs_uri: "s3://bucket/scythe/study/specs.pq",
  io_spec: "s3://bucket/scythe/study/experiment_io_spec.yml",
};

describe("manifest.yml", () => {
  it("reads back as it was written, Python Scythe's fields at the top", async () => {
    const storage = memoryStorage();
    const manifest: Manifest = {
      ...theirs,
      input_artifacts: null,
      scythe: {
        seed: 2 ** 53 - 1,
        spec_count: 3,
        recursion: { factor: 10, max_depth: 0 },
        chunk_size: null,
        schema_hash: "abc",
        extra_columns: [{ name: "yes", type: { kind: "float64" }, nullable: true, optional: true, file: false }],
        parent_run: null,
        created_at: "2026-01-02T03:04:05.000Z",
        environment: await captureEnvironment(tmpdir()),
      },
    };
    await storage.put(layout.manifest, manifestText(manifest));
    expect(Object.keys(parse(manifestText(manifest))).slice(0, 6)).toEqual([...Object.keys(theirs), "input_artifacts"]);
    expect(await readManifest(storage, layout)).toEqual(manifest);
  });

  it("of Python Scythe is read, with a version that looks like a number and no artifacts, but not driven", async () => {
    const storage = memoryStorage();
    const text = Object.entries(theirs).map(([name, value]) => `${name}: ${JSON.stringify(value)}`);
    await storage.put(layout.manifest, `${text.join("\n")}\n`);
    const manifest = await readManifest(storage, layout);
    expect(manifest).toEqual({ ...theirs, input_artifacts: null, scythe: null });
    expect(() => detailsOf(manifest)).toThrow("was not allocated by this package");
  });

  it("that is missing or damaged is told by name", async () => {
    const storage = memoryStorage();
    await expect(readManifest(storage, layout)).rejects.toMatchObject({ code: "not_found" });
    for (const text of ["", "just text", "experiment_id: 3\n", "a: [unclosed"]) {
      await storage.put(layout.manifest, text);
      await expect(readManifest(storage, layout), text).rejects.toMatchObject({
        code: "storage",
        message: expect.stringContaining("manifest.yml"),
      });
    }
  });
});

describe("captureEnvironment", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "scythe-environment-"));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it("tells commit, dirt, lockfile and the versions of what the project names", async () => {
    const project = join(folder, "project");
    await mkdir(join(project, "node_modules", "left-pad"), { recursive: true });
    await mkdir(join(project, "deeper"));
    await writeFile(join(project, "package.json"), '{"dependencies": {"left-pad": "^1.0.0", "absent": "1"}}');
    await writeFile(join(project, "node_modules", "left-pad", "package.json"), '{"version": "1.3.0"}');
    await writeFile(join(project, "package-lock.json"), "{}");
    await writeFile(join(project, ".gitignore"), "node_modules\n");
    const git = (...args: string[]) =>
      execFileSync("git", ["-c", "user.name=t", "-c", "user.email=t@example.org", ...args], {
        cwd: project,
        encoding: "utf8",
      });
    git("init", "-q");
    git("add", ".");
    git("commit", "-q", "-m", "first");
    const clean = await captureEnvironment(join(project, "deeper"));
    expect(clean).toMatchObject({ scythe: packageVersion(), node: process.version, git_dirty: false });
    expect(clean.git_commit).toBe(git("rev-parse", "HEAD").trim());
    expect(clean.lockfile_sha256).toBe("44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"); // of "{}"
    expect(clean.packages).toEqual({ "left-pad": "1.3.0" });
    await writeFile(join(project, "new.ts"), "");
    expect((await captureEnvironment(project)).git_dirty).toBe(true);
  });

  it("is null where there is nothing to tell, also in a damaged project", async () => {
    const bare = join(folder, "bare");
    await mkdir(bare);
    await writeFile(join(bare, "package.json"), "{ half");
    expect(await captureEnvironment(bare)).toMatchObject({ git_commit: null, git_dirty: null, packages: {} });
  });
});
