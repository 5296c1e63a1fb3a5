import { mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { RunLayout } from "../run/layout.ts";
import { localStorage } from "../storage/local/local.ts";
import { memoryStorage } from "../storage/memory.ts";
import type { Storage } from "../storage/storage.ts";
import { type DownloadOptions, downloadRun, withDistinctNames } from "./download.ts";
import type { RunFile } from "./run-files.ts";

const layout = new RunLayout({ name: "study", version: "v1.0.0", timestamp: "2026-01-31_12-00-00" });
type Folder = Parameters<typeof downloadRun>[2];

let scratch: string;
let folders = 0;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "scythe-download-"));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

const newFolder = () => localStorage(join(scratch, `folder-${folders++}`)) as Folder;

async function makeRun(files: Record<string, string>, runId = "id"): Promise<Storage> {
  const storage = memoryStorage();
  const manifest = { workflow_run_id: runId, experiment_id: layout.experimentId, experiment_name: "study" };
  await storage.put(layout.manifest, stringify({ ...manifest, specs_uri: "memory://x/specs.pq", io_spec: "x" }));
  for (const [path, content] of Object.entries(files)) await storage.put(layout.key(path), content);
  return storage;
}

const SOME = {
  "final/scalars.pq": "table",
  "specs.pq": "specs",
  "results/a/1.csv": "one",
  "results/b/1.csv": "two",
  "results/task-dataframes/x.pq": "theirs",
  "artifacts/w/rain.epw": "rain",
  "scatter-gather/output/root/x.pq": "tree",
};

async function downloaded(files: Record<string, string>, options: DownloadOptions = {}): Promise<string[]> {
  const target = newFolder();
  const { folder } = await downloadRun(await makeRun(files), layout, target, options);
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && !/^(manifest\.yml|download\.json)$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
}

describe("downloadRun", () => {
  it("brings tables, results and specs, and neither artifacts nor the tree, unless asked", async () => {
    expect(await downloaded(SOME)).toEqual(["final/scalars.pq", "results/a/1.csv", "results/b/1.csv", "specs.pq"]);
    expect(await downloaded(SOME, { what: ["artifacts"] })).toEqual(["artifacts/w/rain.epw"]);
    expect(await downloaded(SOME, { field: "a" })).toEqual(["final/scalars.pq", "results/a/1.csv"]);
    expect(await downloaded(SOME, { field: "w" })).toEqual(["artifacts/w/rain.epw", "final/scalars.pq"]);
    expect(await downloaded(SOME, { field: "a", what: ["results"] })).toEqual(["results/a/1.csv"]);
  });

  it("says which fields there are when there is none of a name", async () => {
    const wrong = downloaded(SOME, { field: "../a" });
    await expect(wrong).rejects.toMatchObject({ code: "not_found", hint: "It has files of: w, a, b." });
    await expect(downloaded({ "specs.pq": "" }, { what: ["final"] })).rejects.toMatchObject({ code: "not_found" });
  });

  it("brings again what is gone or was changed, and nothing else", async () => {
    const [source, target] = [await makeRun(SOME), newFolder()];
    const { folder, skipped, files } = await downloadRun(source, layout, target);
    expect([files, skipped]).toEqual([5, 0]);
    await rm(join(folder, "results/a/1.csv"));
    await writeFile(join(folder, "results/b/1.csv"), "owt"); // of the same size
    await source.put(layout.key("specs.pq"), "newer");
    expect(await downloadRun(source, layout, target)).toMatchObject({ files: 5, skipped: 2 });
    expect(await readFile(join(folder, "results/b/1.csv"), "utf8")).toBe("two");
    expect(await readFile(join(folder, "specs.pq"), "utf8")).toBe("newer");
    await writeFile(join(folder, "download.json"), '{"half');
    expect(await downloadRun(source, layout, target)).toMatchObject({ files: 5, skipped: 0 });
    expect(await downloadRun(source, layout, target)).toMatchObject({ files: 5, skipped: 5 });
  });

  it("is no run until everything has arrived, and goes on where it was stopped", async () => {
    const many = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`results/a/${i}`, `${i}`]));
    const [source, target, stop] = [await makeRun(many), newFolder(), new AbortController()];
    const options: DownloadOptions = {
      concurrency: 2,
      signal: stop.signal,
      onProgress: ({ files }) => files === 5 && stop.abort(),
    };
    await expect(downloadRun(source, layout, target, options)).rejects.toMatchObject({ code: "cancelled" });
    expect(await target.head(layout.manifest)).toBeUndefined();
    const { files, skipped } = await downloadRun(source, layout, target);
    expect(files).toBe(21);
    expect(skipped).toBeGreaterThanOrEqual(5);
    expect(skipped).toBeLessThan(20);
    expect(await readFile(target.localPath(layout.key("results/a/19")), "utf8")).toBe("19");
  });

  it("writes over no other run, and not onto itself", async () => {
    const [source, target] = [await makeRun(SOME), newFolder()];
    await downloadRun(source, layout, target);
    const other = await makeRun(SOME, "other");
    await expect(downloadRun(other, layout, target)).rejects.toMatchObject({ code: "conflict" });
    await target.delete([layout.download]);
    await expect(downloadRun(source, layout, target)).rejects.toMatchObject({ code: "conflict" });
    await expect(downloadRun(target, layout, target)).rejects.toMatchObject({ code: "conflict" });
  });

  it("names keys that would lead out of the folder, and writes none of them", async () => {
    const evil = "study/v1.0.0/2026-01-31_12-00-00/results/../../../../../escaped";
    for (const key of [evil, layout.key("results/a/C:x"), layout.key(`results/a/${"x".repeat(300)}`)]) {
      const good = await makeRun(SOME);
      const source: Storage = {
        ...good,
        list: async function* (prefix) {
          yield* good.list(prefix);
          yield { key, size: 1, etag: "e", modified: new Date() };
        },
        getFile: (from, path) => (from === key ? writeFile(path, "x") : good.getFile(from, path)),
      };
      const target = newFolder();
      if (key === evil) {
        expect(await downloadRun(source, layout, target)).toMatchObject({
          leftOut: [key.slice(layout.key("").length)],
        });
      } else {
        await expect(downloadRun(source, layout, target)).rejects.toThrow(/1 of 6 files.*Not a storage key/);
        expect(await target.head(layout.manifest)).toBeUndefined();
      }
      const brought = await readdir(fileURLToPath(target.uri), { recursive: true });
      expect(brought.filter((name) => name.includes("C:x") || name.includes("xxx"))).toEqual([]);
    }
    expect(await readdir(scratch)).not.toContain("escaped");
  });

  it("follows no link out of its folder", async () => {
    const target = newFolder();
    await target.put("study/keep", "");
    await symlink(scratch, join(target.localPath("study"), "v1.0.0"));
    await expect(downloadRun(await makeRun(SOME), layout, target)).rejects.toThrow("is a link out of the storage");
  });

  it("keeps names apart that some systems take for one", async () => {
    const names = ["A.csv", "a.csv", "\u00e9.csv", "e\u0301.csv"];
    const files = Object.fromEntries(names.map((name) => [`results/f/${name}`, name]));
    const target = newFolder();
    const { folder } = await downloadRun(await makeRun(files), layout, target);
    const brought = await readdir(join(folder, "results/f"));
    expect(new Set(brought.map((name) => name.normalize("NFC").toLowerCase())).size).toBe(4);
    const contents = await Promise.all(brought.map((name) => readFile(join(folder, "results/f", name), "utf8")));
    expect(contents.sort()).toEqual([...names].sort());
  });
});

describe("withDistinctNames", () => {
  const paths = (given: string[]) =>
    withDistinctNames(given.map((path) => ({ path }) as RunFile)).map(({ path }) => path);

  it("numbers what differs in case or Unicode form alone", () => {
    expect(paths(["f/A.csv", "f/a.csv", "f/a.CSV", "F/a.csv"])).toEqual([
      "f/A.csv",
      "f/a~2.csv",
      "f/a~3.CSV",
      "F/a~4.csv",
    ]);
    expect(paths(["f/\u00e9", "f/e\u0301"])).toEqual(["f/\u00e9", "f/e\u0301~2"]);
    expect(paths(["f/a", "f/A", "f/a~2"])).toEqual(["f/a", "f/A~2", "f/a~2~2"]);
  });

  it("leaves all others as they are", () => {
    expect(paths(["a/b.csv", "a/c.csv", "b/b.csv"])).toEqual(["a/b.csv", "a/c.csv", "b/b.csv"]);
  });
});
