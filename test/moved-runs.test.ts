import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openProject, type Scythe } from "scythe-ts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { collect } from "./collect.ts";
import { FICKLE, FicklePlace } from "./fickle.ts";
import { type S3Server, startS3Server } from "./servers/s3-server.ts";

const root = mkdtempSync(join(tmpdir(), "scythe-moved-"));
const server = await startS3Server();
const { env = {} } = server ?? ({} as S3Server);
beforeAll(() => {
  for (const [name, value] of Object.entries({ ...env, SCYTHE_CACHE_DIR: join(root, "cache") }))
    process.env[name] = value;
});
afterAll(async () => {
  await server?.stop();
  rmSync(root, { recursive: true, force: true });
});

/** Objects as another tool moves them: nothing in them is changed. */
async function moveObjects(from: string, to: string): Promise<void> {
  await using source = await openProject(FICKLE, { storage: from });
  await using target = await openProject(FICKLE, { storage: to });
  const keys = (await collect(source.storage.list(""))).map(({ key }) => key);
  for (const key of keys) await target.storage.put(key, (await source.storage.get(key)).body);
  await source.storage.delete(keys);
}

const bucket = async () => `s3://${await server!.createBucket()}/runs`;
const folder = async () => mkdtempSync(join(root, "storage-"));

interface Move {
  from: () => Promise<string>;
  to: () => Promise<string>;
  move: (from: string, to: string) => Promise<void>;
}
const MOVES: Record<string, Move> = {
  "from folder to folder": {
    from: folder,
    to: async () => join(await folder(), "moved"),
    move: async (from, to) => renameSync(from, to),
  },
  ...(server && {
    "from bucket to bucket": { from: bucket, to: bucket, move: moveObjects },
    "from bucket to folder": { from: bucket, to: folder, move: moveObjects },
    "from folder to bucket": { from: folder, to: bucket, move: moveObjects },
  }),
};

/** Twelve specs with two input files; 4 and 9 fail. */
async function makeRun(scythe: Scythe, place: FicklePlace): Promise<string> {
  const sources = ["a b.txt", "c.txt"].map((name) => join(place.mended, name));
  for (const source of sources) writeFileSync(source, source);
  const specs = place.specs(0, 12).map((spec) => ({ ...spec, source: sources[spec.n % 2] }));
  const run = await scythe.allocate("fickle", specs, { seed: 3 });
  expect((await run.result()).report).toMatchObject({ succeeded: 10, failed: 2 });
  return run.experimentId;
}

describe("a run whose storage was moved", () => {
  it.each(Object.keys(MOVES))(
    "%s is verified, retried and extended with its own files",
    async (name) => {
      const { from, to, move } = MOVES[name]!;
      const place = new FicklePlace(mkdtempSync(join(root, "place-")));
      const [here, there] = [await from(), await to()];
      const id = await (async () => {
        await using scythe = await openProject(FICKLE, { storage: here });
        return await makeRun(scythe, place); // before the project closes
      })();
      await move(here, there);
      await using scythe = await openProject(FICKLE, { storage: there });

      expect((await scythe.audit.verify(id, { sample: 12 })).problems).toEqual([]);
      const repro = await scythe.audit.repro(id, 4, { to: join(mkdtempSync(join(root, "repro-")), "of-4") });
      expect(repro.notes).toEqual([]);

      place.mend("throws", "slow", "quick");
      const retried = (await scythe.retry(id))!;
      expect((await retried.result()).report).toMatchObject({ succeeded: 12, failed: 0 });

      const added = place.specs(12, 16).map((spec) => ({ ...spec, trouble: "none" as const }));
      const results = await (await scythe.extend(id, added)).result();
      expect(results.report).toMatchObject({ succeeded: 16, failed: 0 });
      const refs = await results.query("SELECT note, source FROM result_file_refs WHERE note IS NOT NULL");
      expect(refs).toHaveLength(6);
      const own = `${scythe.storage.uriOf(results.experimentId)}/`;
      for (const { note, source } of refs) {
        expect(note).toContain(own);
        if (source !== null) expect(source).toContain(own);
      }
      expect((await scythe.audit.verify(results.experimentId, { sample: 16 })).problems).toEqual([]);
    },
    180_000,
  );

  it.each(Object.keys(MOVES))(
    "%s before it was complete is resumed with its own files",
    async (name) => {
      const { from, to, move } = MOVES[name]!;
      const place = new FicklePlace(mkdtempSync(join(root, "place-")));
      const [here, there] = [await from(), await to()];
      const id = await (async () => {
        await using scythe = await openProject(FICKLE, { storage: here });
        const source = join(place.mended, "a.txt");
        writeFileSync(source, "A");
        const specs = place.specs(0, 12).map((spec) => ({ ...spec, source }));
        const run = await scythe.allocate("fickle", specs, { maxFailures: 0, chunkSize: 2 });
        await run.result().catch(() => undefined);
        return run.experimentId;
      })();
      await move(here, there);
      place.mend("throws", "slow", "quick");
      await using scythe = await openProject(FICKLE, { storage: there });
      const run = await scythe.resume(id, { maxFailures: 3 });
      const { report } = await run.result();
      expect(report).toMatchObject({ allocated: 12, missing: 0 });
      expect(report!.succeeded).toBeGreaterThanOrEqual(10);
      for await (const { message } of (await run.openResults()).errors()) expect(message).toMatch(/no luck|time/);
    },
    180_000,
  );
});
