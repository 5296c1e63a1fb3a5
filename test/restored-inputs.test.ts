import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openProject, type Scythe } from "scythe-ts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { allocateRun } from "../src/allocate/allocate.ts";
import { collect } from "./collect.ts";
import { FICKLE, FicklePlace } from "./fickle.ts";
import { type S3Server, startS3Server } from "./servers/s3-server.ts";

const root = mkdtempSync(join(tmpdir(), "scythe-restored-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const server = await startS3Server();
const { env = {} } = server ?? ({} as S3Server);
beforeAll(() => {
  for (const [name, value] of Object.entries({ ...env, SCYTHE_CACHE_DIR: join(root, "cache") }))
    process.env[name] = value;
});
afterAll(() => server?.stop());

/** A run of four specs with an input file that is stored and not started. */
async function ready(scythe: Scythe, place: FicklePlace) {
  const source = join(root, "source.txt");
  writeFileSync(source, "SOURCE");
  const specs = place.specs(0, 4).map((spec) => ({ ...spec, source }));
  const project = { folder: FICKLE, fetchUri: async (uri: string) => uri };
  return (await allocateRun(scythe.storage, scythe.registry.get("fickle"), specs, {}, project)).layout;
}

/** Another byte in the middle of the object; gives back what puts it right. */
async function damage({ storage }: Scythe, key: string): Promise<() => Promise<unknown>> {
  const whole = (await storage.get(key)).body;
  const harmed = Uint8Array.from(whole);
  harmed[harmed.length >> 1]! ^= 0xff;
  await storage.put(key, harmed);
  return () => storage.put(key, whole);
}

const PLACES: Record<string, (place: FicklePlace) => Promise<string>> = {
  folder: async (place) => place.storage,
  ...(server && { bucket: async () => `s3://${await server.createBucket()}/runs` }),
};

describe.each(["inline", "local"] as const)("an open project with the engine %s", (engine) => {
  it.each(Object.keys(PLACES))(
    "goes on with a run once its specs are restored, in a %s",
    async (kind) => {
      const place = new FicklePlace(mkdtempSync(join(root, "place-")));
      const storage = await PLACES[kind]!(place);
      await using scythe = await openProject(FICKLE, { storage, engine });
      const layout = await ready(scythe, place);
      const restore = await damage(scythe, layout.specs);
      const run = await scythe.resume(layout.experimentId);
      await expect(run.result()).rejects.toThrow("SHA-256 is not the recorded one");
      await restore();
      expect(await run.resume()).toBe("driven");
      expect((await run.result()).report).toMatchObject({ succeeded: 4, failed: 0 });
    },
    120_000,
  );

  it.each(Object.keys(PLACES))(
    "gives specs their input file once it is restored, in a %s",
    async (kind) => {
      const place = new FicklePlace(mkdtempSync(join(root, "place-")));
      const storage = await PLACES[kind]!(place);
      await using scythe = await openProject(FICKLE, { storage, engine });
      const layout = await ready(scythe, place);
      const [artifact] = await collect(scythe.storage.list(layout.artifacts));
      const restore = await damage(scythe, artifact!.key);
      const run = await scythe.resume(layout.experimentId);
      const failed = await run.result().catch((error: unknown) => error);
      await restore();
      if (kind === "folder") {
        expect(failed).toMatchObject({ message: expect.stringContaining("SHA-256 is not the recorded one") });
        expect(await run.resume()).toBe("driven");
      } else {
        expect(failed).toMatchObject({ report: { failed: 4 } }); // of a bucket it is seen as it is brought
        expect(await run.retry()).toBe(4);
      }
      expect((await run.result()).report).toMatchObject({ succeeded: 4, failed: 0 });
    },
    120_000,
  );
});
