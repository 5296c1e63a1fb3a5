import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { openProject, type Scythe } from "scythe-ts";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { allocateRun } from "../src/allocate/allocate.ts";
import { addChecksum, sha256Of, withoutChecksum } from "../src/run/checksum.ts";
import { withDuckDb } from "../src/table/duckdb.ts";
import { collect } from "./collect.ts";

const PROJECT = fileURLToPath(new URL("./fixtures/security", import.meta.url));
const root = mkdtempSync(join(tmpdir(), "scythe-test-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const secret = join(root, "secret.txt");
writeFileSync(secret, "SECRET");
const trace = join(root, "trace");

let storage: string;
let scythe: Scythe;
let made = 0;
const folder = (name: string) => join(root, `${name}-${made}`);
beforeEach(async () => {
  made++;
  storage = folder("storage");
  rmSync(trace, { force: true });
  scythe = await openProject(PROJECT, { storage, slots: 1 });
});
afterEach(() => scythe.close());
const traced = () => (existsSync(trace) ? readFileSync(trace, "utf8") : "");

/** A run that is ready to start, its specs rewritten by whoever may write to the storage, all its hashes made anew. */
async function resealed(name: "reads" | "fetches", given: string, where = storage): Promise<string> {
  const source = join(root, "given.txt");
  writeFileSync(source, "GIVEN");
  const specs = name === "reads" ? [{ n: 0, trace, given: source, more: [source] }] : [{ trace, given: source }];
  const project = { folder: PROJECT, fetchUri: async (uri: string) => uri };
  const { layout } = await allocateRun(scythe.storage, scythe.registry.get(name), specs, {}, project);
  await rewrite(layout.experimentId, name, given, where);
  return layout.experimentId;
}

async function rewrite(id: string, name: string, given: string, where = storage): Promise<void> {
  const path = join(where, id, "specs.pq");
  const replaced = `'${given}' AS given${name === "reads" ? `, ['${given}'] AS more` : ""}`;
  await withDuckDb({}, 1, async (duck) => {
    await duck.run(`CREATE TABLE specs AS SELECT * REPLACE (${replaced}) FROM read_parquet('${path}')`, "");
    await duck.run(`COPY specs TO '${path}' (FORMAT parquet)`, "");
  });
  const manifest = join(where, id, "manifest.yml");
  const hash = /specs_sha256: \S+/;
  const text = withoutChecksum(readFileSync(manifest, "utf8")).replace(
    hash,
    `specs_sha256: ${sha256Of(readFileSync(path))}`,
  );
  writeFileSync(manifest, addChecksum(text));
}

/** Ways of naming a file of the machine that the worker may read. */
const WAYS: Record<string, (id?: string) => string> = {
  url: () => pathToFileURL(secret).href,
  path: () => secret,
  climbing: () => `${pathToFileURL(storage).href}/reads/../../${"secret.txt"}`,
  encoded: () => `${pathToFileURL(storage).href}/%2e%2e/secret.txt`,
  "another host": () => `file://localhost${secret}`,
  uppercase: () => pathToFileURL(secret).href.replace("file:", "FILE:"),
  "of the storage, but of no run": () => {
    writeFileSync(join(storage, "notes.txt"), "SECRET");
    return pathToFileURL(join(storage, "notes.txt")).href;
  },
};

describe("a specs.pq that was rewritten and sealed again", () => {
  describe.each(["reads", "fetches"] as const)("of an experiment that %s", (name) => {
    it.each(Object.keys(WAYS))(
      "gives its workers no file of the machine: %s",
      async (way) => {
        const id = await resealed(name, "x");
        await rewrite(id, name, WAYS[way]!());
        const results = await (await scythe.resume(id)).result();
        expect(await collect(results.rows())).toEqual([]);
        expect(await collect(results.errors())).toHaveLength(1);
        expect(traced()).toBe("");
      },
      60_000,
    );

    it("nor by a link in the run's own folder", async () => {
      const id = await resealed(name, "x");
      symlinkSync(secret, join(storage, id, "artifacts/given/link.txt"));
      await rewrite(id, name, pathToFileURL(join(storage, id, "artifacts/given/link.txt")).href);
      const results = await (await scythe.resume(id)).result();
      expect(await collect(results.errors())).toHaveLength(1);
      expect(traced()).toBe("");
    }, 60_000);

    it("runs on with its own files when the storage was moved", async () => {
      const elsewhere = folder("elsewhere");
      const id = await resealed(name, "x");
      const [file] = readdirSync(join(storage, id, "artifacts/given"));
      await rewrite(id, name, pathToFileURL(join(elsewhere, id, "artifacts/given", file!)).href);
      await scythe.close();
      renameSync(storage, folder("moved"));
      scythe = await openProject(PROJECT, { storage: folder("moved") });
      const results = await (await scythe.resume(id)).result();
      expect(await collect(results.errors())).toEqual([]);
      expect(traced()).toContain("GIVEN");
    }, 60_000);
  });

  it("gives nothing to verify's sample, nor to repro", async () => {
    const source = join(root, "given.txt");
    writeFileSync(source, "GIVEN");
    const run = await scythe.allocate("reads", [{ n: 0, trace, given: source }]);
    await run.result();
    await rewrite(run.experimentId, "reads", pathToFileURL(secret).href);
    rmSync(trace);
    const certificate = await scythe.audit.verify(run.experimentId, { sample: 1 });
    expect(certificate.problems.filter(({ check }) => check === "sample")).not.toEqual([]);
    expect(traced()).toBe("");
    const repro = await scythe.audit.repro(run.experimentId, 0, { to: folder("repro") });
    const files = readdirSync(repro.folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    for (const { parentPath, name } of files)
      expect(readFileSync(join(parentPath, name), "utf8")).not.toContain("SECRET");
    await expect(scythe.audit.reproduce(repro.folder)).rejects.toMatchObject({
      message: expect.stringContaining("is not read"),
    });
    expect(traced()).toBe("");
  }, 60_000);

  it("gives nothing to the folder of a repro by a path in it", async () => {
    const run = await scythe.allocate("reads", [{ n: 0, trace, given: secret }]);
    await run.result();
    const repro = await scythe.audit.repro(run.experimentId, 0, { to: folder("repro") });
    rmSync(trace);
    const spec = join(repro.folder, "spec.json");
    const own = JSON.parse(readFileSync(spec, "utf8"));
    for (const given of [secret, "../secret.txt", pathToFileURL(secret).href]) {
      writeFileSync(spec, JSON.stringify({ ...own, spec: { ...own.spec, given } }));
      await expect(scythe.audit.reproduce(repro.folder)).rejects.toMatchObject({ code: "invalid_input" });
    }
    expect(traced()).toBe("");
  }, 60_000);
});

describe("a spec file", () => {
  function specFile(given: string, more: string[] = []): string {
    const place = folder("specs");
    mkdirSync(place, { recursive: true });
    writeFileSync(join(place, "own.txt"), "OWN");
    const path = join(place, "specs.jsonl");
    writeFileSync(path, JSON.stringify({ n: 0, trace, given, more }));
    return path;
  }
  const refusal = (text: RegExp) => ({ code: "invalid_specs", message: expect.stringMatching(text) });

  it("refers to files beside it and in the project", async () => {
    const own = await scythe.allocate("reads", specFile("own.txt", [join(PROJECT, "scythe.config.ts")]));
    expect((await own.result()).report).toMatchObject({ failed: 0 });
  }, 60_000);

  it.each(["../secret.txt", secret, "own.txt/../../secret.txt"])("does not bring %s into a run", async (given) => {
    for (const file of [specFile(given), specFile("own.txt", ["own.txt", given])]) {
      await expect(scythe.allocate("reads", file)).rejects.toMatchObject(
        refusal(/outside of the spec file's folder.*--allow-path/),
      );
    }
    expect(existsSync(storage)).toBe(false);
  });

  it("nor from a folder that is called much like its own", async () => {
    const file = specFile("own.txt");
    const alike = `${join(file, "..")}-private`;
    mkdirSync(alike);
    writeFileSync(join(alike, "x.txt"), "SECRET");
    writeFileSync(file, JSON.stringify({ n: 0, trace, given: join(alike, "x.txt") }));
    await expect(scythe.allocate("reads", file)).rejects.toMatchObject(refusal(/outside of the spec file's folder/));
  });

  it("does not by a link beside it", async () => {
    const file = specFile("link.txt");
    symlinkSync(secret, join(file, "../link.txt"));
    await expect(scythe.allocate("reads", file)).rejects.toMatchObject(refusal(/link\.txt, a link to .*secret\.txt/));
    const below = specFile("sub/secret.txt");
    symlinkSync(root, join(below, "../sub"));
    await expect(scythe.allocate("reads", below)).rejects.toMatchObject(refusal(/outside/));
  });

  it("names no other bucket", async () => {
    const allocated = scythe.allocate("reads", specFile("s3://someone-else/x.txt"));
    await expect(allocated).rejects.toMatchObject(refusal(/bucket someone-else.*allowBuckets: \["someone-else"\]/));
  });

  it("may do both where it is allowed", async () => {
    const run = await scythe.allocate("reads", specFile(secret), { allowPaths: [root] });
    expect((await run.result()).report).toMatchObject({ failed: 0 });
    await using lenient = await openProject({
      experiments: [scythe.registry.get("reads")],
      allowPaths: [root],
      allowBuckets: ["mine"],
      storage,
    });
    await expect(lenient.allocate("reads", specFile(secret))).resolves.toBeDefined();
    await expect(lenient.allocate("reads", specFile("s3://other/x"))).rejects.toMatchObject(refusal(/bucket other/));
    const buckets = await lenient.allocate("reads", specFile("own.txt", ["s3://mine/x"]));
    await buckets.cancel({ now: true });
  }, 60_000);

  it("is not what code gives: that is the user's own word", async () => {
    const run = await scythe.allocate("reads", [{ n: 0, trace, given: secret }]);
    expect((await run.result()).report).toMatchObject({ failed: 0 });
  }, 60_000);
});
