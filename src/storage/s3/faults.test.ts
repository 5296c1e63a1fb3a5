import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type Fault, type FaultProxy, type FaultRates, startFaultProxy } from "../../../test/servers/fault-proxy.ts";
import { startS3Server } from "../../../test/servers/s3-server.ts";
import { storageSuite } from "../storage.testsuite.ts";
import { getText, listAll, type Storage } from "../storage.ts";
import type { S3Limits } from "./limits.ts";
import { s3Storage } from "./s3.ts";

/** 30 % in all. What makes the client wait is rarer than what it notices at once. */
const RATES: FaultRates = {
  slowDown: 0.09,
  serverError: 0.05,
  conflict: 0.03,
  resetBefore: 0.05,
  resetAfter: 0.04,
  truncate: 0.02,
  lostAnswer: 0.005,
  stallRequest: 0.005,
  stallResponse: 0.005,
  lie: 0.005,
};
const FAST: Partial<S3Limits> = { stallMs: 500, pauseMs: 10 };

const server = await startS3Server();
afterAll(() => server?.stop());

let proxies: FaultProxy[] = [];
afterAll(async () => {
  for (const proxy of proxies) await proxy.close();
  proxies = [];
});
async function openProxy(rates: FaultRates = {}): Promise<{ proxy: FaultProxy; storage: Storage; bucket: string }> {
  const proxy = await startFaultProxy(server!.endpoint, { seed: 20_261_120, rates });
  proxies.push(proxy);
  const bucket = await server!.createBucket();
  const { credentials } = server!;
  return { proxy, bucket, storage: s3Storage({ bucket, endpoint: proxy.endpoint, credentials, limits: FAST }) };
}

describe.skipIf(!server)("through a proxy that harms 30 % of all requests", () => {
  let proxy: FaultProxy;
  storageSuite("s3Storage", async () => {
    const opened = await openProxy(RATES);
    proxy = opened.proxy;
    return opened.storage;
  });

  it("every kind of fault has come up", () => {
    const total = Object.values(proxy.injected).reduce((sum, count) => sum + count, 0);
    expect(Object.entries(proxy.injected).filter(([, count]) => count === 0)).toEqual([]);
    expect(total / proxy.requests).toBeGreaterThan(0.25);
  });
});

describe.skipIf(!server)("one fault at a time", () => {
  let proxy: FaultProxy;
  let storage: Storage;
  let bucket: string;
  let scratch: string;
  beforeAll(async () => {
    ({ proxy, storage, bucket } = await openProxy());
    scratch = await mkdtemp(join(tmpdir(), "scythe-s3-faults-"));
  });
  afterAll(() => rm(scratch, { recursive: true, force: true }));
  afterEach(() => {
    proxy.script = undefined;
    proxy.deny = undefined;
  });

  /** The first `times` requests that match meet the fault. */
  const harm = (fault: Fault, matches: (request: IncomingMessage) => boolean, times = 1) => {
    proxy.script = (request) => (matches(request) && times-- > 0 ? fault : undefined);
  };
  const isPut = ({ method }: IncomingMessage) => method === "PUT";
  const isGet = ({ method }: IncomingMessage) => method === "GET";

  it.each(["lostAnswer", "resetAfter"] as const)("%s: a conditional create knows its own write", async (fault) => {
    harm(fault, isPut);
    const result = await storage.put(`create-${fault}`, "mine", { ifAbsent: true });
    expect(result).toEqual({ written: true, etag: (await storage.head(`create-${fault}`))!.etag });
    expect(await storage.put(`create-${fault}`, "mine", { ifAbsent: true })).toEqual({ written: false });
  });

  it.each(["lostAnswer", "resetAfter"] as const)("%s: a compare-and-swap knows its own write", async (fault) => {
    const first = (await storage.put(`swap-${fault}`, "before")) as { etag: string };
    harm(fault, isPut);
    const result = await storage.put(`swap-${fault}`, "after", { ifMatch: first.etag });
    expect(result).toEqual({ written: true, etag: (await storage.head(`swap-${fault}`))!.etag });
    expect(await storage.put(`swap-${fault}`, "late", { ifMatch: first.etag })).toEqual({ written: false });
  });

  it("a lost answer is no win over another's equal content", async () => {
    harm("resetBefore", (request) => {
      return isPut(request) && proxy.requests === requests + 1;
    });
    const requests = proxy.requests;
    const losing = storage.put("equal", "same", { ifAbsent: true });
    const other = s3Storage({ bucket, endpoint: server!.endpoint, credentials: server!.credentials });
    const winner = await other.put("equal", "same", { ifAbsent: true });
    const results = [winner, await losing];
    expect(results.filter(({ written }) => written)).toHaveLength(1);
  });

  it("a write that another has replaced since was still a write", async () => {
    const first = (await storage.put("chain", "0")) as { etag: string };
    const other = s3Storage({ bucket, endpoint: server!.endpoint, credentials: server!.credentials });
    let lost = false;
    proxy.script = (request) => {
      if (isPut(request) && !lost) {
        lost = true;
        return "lostAnswer";
      }
      return undefined;
    };
    const swapping = storage.put("chain", "1", { ifMatch: first.etag });
    const meddling = (async () => {
      for (;;) {
        const { text, etag } = (await getText(other, "chain"))!;
        if (text === "1") return other.put("chain", "2", { ifMatch: etag });
      }
    })();
    await meddling;
    expect((await swapping).written).toBe(true);
    expect((await getText(storage, "chain"))?.text).toBe("2");
  });

  it("a cut body is tried again, however often the server was busy before it", async () => {
    await storage.put("busy", "x".repeat(1000));
    const faults: Fault[] = ["slowDown", "slowDown", "slowDown", "slowDown", "lie"];
    proxy.script = () => faults.shift();
    expect((await getText(storage, "busy"))?.text).toHaveLength(1000);
    expect(faults).toEqual([]);
  });

  it("every reading of an object that is replaced all the time comes to an end", async () => {
    const text = (i: number) => `${i} `.repeat(200);
    await storage.put("replaced", text(0));
    let round = 0;
    harm("lie", isGet, 6); // more than a damaged object would be read
    proxy.script = ((harmful) => (request) => {
      const fault = harmful?.(request);
      if (fault) void other.put("replaced", text(++round));
      return fault;
    })(proxy.script);
    const other = s3Storage({ bucket, endpoint: server!.endpoint, credentials: server!.credentials });
    expect((await getText(storage, "replaced"))?.text).toMatch(/^(\d) (\1 ){199}$/);
  });

  it.each(["truncate", "stallResponse", "lie"] as const)("%s: a cut body is never seen", async (fault) => {
    const body = randomBytes(300_000);
    await storage.put("body", body);
    harm(fault, isGet, 2);
    expect(Buffer.compare((await storage.get("body")).body, body)).toBe(0);
    harm(fault, isGet, 2);
    await storage.getFile("body", join(scratch, "body"));
    expect(Buffer.compare(await readFile(join(scratch, "body")), body)).toBe(0);
    expect(await readdir(scratch)).toEqual(["body"]);
  });

  it("a body that is always cut ends as an error, and as no file", async () => {
    await storage.put("always", randomBytes(10_000));
    harm("lie", isGet, Number.POSITIVE_INFINITY);
    await expect(storage.getFile("always", join(scratch, "always"))).rejects.toMatchObject({
      code: "storage",
      message: expect.stringContaining(`s3://${bucket}/always`),
    });
    expect(await readdir(scratch)).not.toContain("always");
  });

  it("a listing that is cut is asked for again", async () => {
    const keys = Array.from({ length: 30 }, (_, i) => `cut/${String(i).padStart(2, "0")}`);
    await Promise.all(keys.map((key) => storage.put(key, "")));
    for (const fault of ["truncate", "lie", "stallResponse"] as const) {
      harm(fault, isGet, 2);
      expect((await listAll(storage, "cut/")).map(({ key }) => key)).toEqual(keys);
    }
  });

  it.each(["lostAnswer", "resetAfter"] as const)("%s at the end of a large upload: it is done once", async (fault) => {
    const path = join(scratch, "large");
    const content = randomBytes(17 * 1024 * 1024);
    await writeFile(path, content);
    harm(fault, ({ method, url }) => method === "POST" && /uploadId=/.test(url!));
    const result = await storage.putFile(`large-${fault}`, path, { ifAbsent: true });
    expect(result).toEqual({ written: true, etag: (await storage.head(`large-${fault}`))!.etag });
    expect(proxy.injected[fault]).toBeGreaterThan(0);
    const digest = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
    expect(digest((await storage.get(`large-${fault}`)).body)).toBe(digest(content));
    expect(await storage.putFile(`large-${fault}`, path, { ifAbsent: true })).toEqual({ written: false });
  });

  it("a broken download of a large object goes on where it stopped", async () => {
    const content = randomBytes(12 * 1024 * 1024);
    await storage.put("resumed", content);
    const ranges: unknown[] = [];
    let cuts = 0;
    proxy.script = (request) => {
      ranges.push(request.headers.range);
      return cuts++ < 2 ? "truncate" : undefined;
    };
    await storage.getFile("resumed", join(scratch, "resumed"));
    expect(Buffer.compare(await readFile(join(scratch, "resumed")), content)).toBe(0);
    expect(ranges[0]).toBeUndefined();
    expect(Number(/bytes=(\d+)-/.exec(String(ranges[2]))?.[1])).toBeGreaterThan(6_000_000);
  });

  it("a part that fails for good aborts the upload", async () => {
    const path = join(scratch, "aborted");
    await writeFile(path, randomBytes(17 * 1024 * 1024));
    proxy.deny = /partNumber=2/;
    await expect(storage.putFile("aborted", path)).rejects.toMatchObject({
      code: "storage",
      message: expect.stringContaining("access denied (403 AccessDenied)"),
    });
    const { ListMultipartUploadsCommand, S3Client } = await import("@aws-sdk/client-s3");
    const { endpoint, credentials } = server!;
    const client = new S3Client({ endpoint, credentials, region: "us-east-1", forcePathStyle: true });
    expect((await client.send(new ListMultipartUploadsCommand({ Bucket: bucket }))).Uploads ?? []).toEqual([]);
    client.destroy();
    expect(await storage.head("aborted")).toBeUndefined();
  });

  it("a server that keeps failing is given up, with advice", async () => {
    const limits = { ...FAST, giveUpMs: 1_000 };
    const patient = s3Storage({ bucket, endpoint: proxy.endpoint, credentials: server!.credentials, limits });
    await patient.put("failing", "x");
    for (const fault of ["slowDown", "serverError", "resetBefore", "stallRequest"] as const) {
      harm(fault, () => true, Number.POSITIVE_INFINITY);
      const error = await patient.get("failing").catch((e) => e);
      expect(error, fault).toMatchObject({ code: "storage", hint: expect.stringContaining("resume the run") });
      expect(error.message).toContain(`s3://${bucket}/failing`);
    }
  });

  it("what is denied fails at once, with bucket, key and permission", async () => {
    proxy.deny = /secret-plan/;
    const { denied } = proxy;
    const start = performance.now();
    const error = await storage.put("runs/secret-plan", "x").catch((e) => e);
    expect(performance.now() - start).toBeLessThan(5_000);
    expect(proxy.denied - denied).toBe(1);
    expect(error.message).toBe(`Could not write s3://${bucket}/runs/secret-plan: access denied (403 AccessDenied)`);
    expect(error.hint).toContain("s3:PutObject");
    expect(error.details).toMatchObject({ bucket, key: "runs/secret-plan", action: "write", status: 403 });
    await expect(storage.get("runs/secret-plan")).rejects.toMatchObject({
      hint: expect.stringContaining("s3:GetObject"),
    });
  });
});
