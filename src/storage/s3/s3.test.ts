import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startS3Server } from "../../../test/servers/s3-server.ts";
import { storageSuite } from "../storage.testsuite.ts";
import { listAll, type Storage } from "../storage.ts";
import type { S3Limits } from "./limits.ts";
import { s3Storage } from "./s3.ts";

const server = await startS3Server();
afterAll(() => server?.stop());

const MB = 1024 * 1024;
const digest = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
const open = async (prefix: string, limits: Partial<S3Limits> = {}): Promise<Storage> => {
  const { endpoint, credentials } = server!;
  return s3Storage({ bucket: await server!.createBucket(), prefix, endpoint, credentials, limits });
};

describe.skipIf(!server)("against a real server", () => {
  storageSuite("s3Storage", () => open("some/prefix"));
  storageSuite("s3Storage without a prefix", () => open(""));
});

describe.skipIf(!server)("what is large, or many", () => {
  let storage: Storage;
  let scratch: string;
  beforeAll(async () => {
    storage = await open("large", { copyPartSize: 16 * MB });
    scratch = await mkdtemp(join(tmpdir(), "scythe-s3-"));
  });
  afterAll(() => rm(scratch, { recursive: true, force: true }));

  it("40 MB go up in parts, come back, and are copied in parts", async () => {
    const content = randomBytes(40 * MB + 17);
    const path = join(scratch, "large.bin");
    await writeFile(path, content);
    const result = await storage.putFile("file", path);
    expect(result.written && result.etag).toMatch(/-6$/);
    await storage.copy("file", "copied");
    for (const key of ["file", "copied"]) {
      await storage.getFile(key, join(scratch, key));
      expect(digest(await readFile(join(scratch, key)))).toBe(digest(content));
    }
    expect(digest(await storage.getRange("file", 20 * MB, 30 * MB))).toBe(digest(content.subarray(20 * MB, 30 * MB)));
  });

  it("of many large conditional writes one wins", async () => {
    const bodies = Array.from({ length: 4 }, () => randomBytes(17 * MB));
    const create = await Promise.all(bodies.map((body) => storage.put("raced", body, { ifAbsent: true })));
    const [winner, none] = create.flatMap((result, i) => (result.written ? [i] : []));
    expect(none).toBeUndefined();
    const { body, etag } = await storage.get("raced");
    expect(digest(body)).toBe(digest(bodies[winner!]!));
    const others = bodies.map((other) => Buffer.from(other).reverse()); // equal content would have an equal etag
    const swap = await Promise.all(others.map((other) => storage.put("raced", other, { ifMatch: etag })));
    expect(swap.filter(({ written }) => written)).toHaveLength(1);
  });

  it("2,500 keys are listed in pages and deleted in batches", async () => {
    const keys = Array.from({ length: 2_500 }, (_, i) => `many/${String(i).padStart(4, "0")}`);
    await Promise.all(keys.map((key) => storage.put(key, "x")));
    await storage.put("many-others", "x");
    expect((await listAll(storage, "many/")).map(({ key }) => key)).toEqual(keys);
    await storage.delete(keys.slice(0, 2_400));
    expect(await listAll(storage, "many/")).toHaveLength(100);
    await storage.delete(keys);
    expect((await listAll(storage, "many")).map(({ key }) => key)).toEqual(["many-others"]);
  });
});
