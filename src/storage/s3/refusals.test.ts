import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, it, vi } from "vitest";
import { freePort, startS3Server } from "../../../test/servers/s3-server.ts";
import { isScytheError } from "../../errors.ts";
import { listAll, type Storage } from "../storage.ts";
import { loadSdk } from "./client.ts";
import { translate, withoutSecrets } from "./errors.ts";
import { parseS3Uri, s3Storage } from "./s3.ts";

const server = await startS3Server();
afterAll(() => server?.stop());
afterEach(() => vi.unstubAllEnvs());

const SECRETS = ["AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "a-session-token"];
const [accessKeyId, secretAccessKey, sessionToken] = SECRETS as [string, string, string];

/** All that could end up in a log: the error with its causes, hidden fields and all. */
function everything(error: unknown): string {
  if (!(error instanceof Error)) return JSON.stringify(error);
  const own = Object.getOwnPropertyNames(error).map((name) => `${name}: ${show((error as never)[name])}`);
  return own.join("\n");
}
const show = (value: unknown) => (value instanceof Error ? everything(value) : JSON.stringify(value));

/** Every use fails within seconds, with a message that matches; gives one of the errors. */
async function expectRefusal(storage: Storage, message: RegExp): Promise<Error & { hint?: string }> {
  const uses = [
    () => storage.put("folder/key", "x"),
    () => storage.put("folder/key", "x", { ifAbsent: true }),
    () => storage.put("folder/key", "x", { ifMatch: "0" }),
    () => storage.get("folder/key"),
    () => storage.head("folder/key"),
    () => storage.copy("folder/key", "other"),
    () => listAll(storage, "folder/"),
    () => storage.delete(["folder/key"]),
  ];
  const start = performance.now();
  const errors = await Promise.all(
    uses.map((use) =>
      use().then(
        () => new Error("resolved"),
        (error) => error,
      ),
    ),
  );
  expect(performance.now() - start).toBeLessThan(9_500);
  for (const error of errors) {
    expect(isScytheError(error) && error.code).toBe("storage");
    expect(error.message).toMatch(message);
    expect(error.hint).toBeTruthy();
    for (const secret of SECRETS) expect(everything(error)).not.toContain(secret);
  }
  return errors[0]!;
}

describe.skipIf(!server)("a server that refuses", () => {
  const address = () => ({ endpoint: server!.endpoint, credentials: server!.credentials });

  it("names a bucket that is not there", async () => {
    const error = await expectRefusal(
      s3Storage({ bucket: "no-such-bucket", ...address() }),
      /no-such-bucket.*(there is no such bucket|not find|NoSuchBucket)/,
    );
    expect(error.hint).toContain("aws s3 mb s3://no-such-bucket");
  });

  it("is told of in words that hold no credentials", async () => {
    const bucket = await server!.createBucket();
    const { endpoint, credentials } = server!;
    const stranger = s3Storage({ bucket, endpoint, credentials: { accessKeyId, secretAccessKey } });
    expect((await expectRefusal(stranger, /s3:\/\/test-.*access denied \(40/)).hint).toContain("AWS_ACCESS_KEY_ID");
    const guessing = s3Storage({ bucket, endpoint, credentials: { ...credentials, secretAccessKey } });
    const error = await guessing.put("a", "x").catch((e) => e);
    expect(error.message).toBe(`Could not write s3://${bucket}/a: access denied (403 SignatureDoesNotMatch)`);
    expect(everything(error)).not.toContain(credentials.accessKeyId);
    expect(everything(error)).not.toMatch(/Signature=|AWS4-HMAC/);
  });

  it("is found by the SDK's own environment", async () => {
    const bucket = await server!.createBucket();
    for (const [name, value] of Object.entries(server!.env)) vi.stubEnv(name, value);
    const storage = s3Storage({ bucket });
    await storage.put("a", "x");
    vi.stubEnv("AWS_ENDPOINT_URL_S3", "");
    vi.stubEnv("AWS_ENDPOINT_URL", server!.endpoint);
    vi.stubEnv("AWS_REGION", "");
    expect(await s3Storage({ bucket }).head("a")).toMatchObject({ key: "a", size: 1 });
  });

  it("is found by a profile", async () => {
    const bucket = await server!.createBucket();
    const folder = await mkdtemp(join(tmpdir(), "scythe-s3-profile-"));
    const lines = ["[profile lab]", `endpoint_url = ${server!.endpoint}`, "region = us-east-1"];
    lines.push(`aws_access_key_id = ${server!.credentials.accessKeyId}`);
    lines.push(`aws_secret_access_key = ${server!.credentials.secretAccessKey}`);
    await writeFile(join(folder, "config"), lines.join("\n"));
    for (const name of ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"]) vi.stubEnv(name, "");
    vi.stubEnv("AWS_CONFIG_FILE", join(folder, "config"));
    vi.stubEnv("AWS_SHARED_CREDENTIALS_FILE", join(folder, "none"));
    vi.stubEnv("AWS_PROFILE", "lab");
    expect(await s3Storage({ bucket }).put("a", "x")).toMatchObject({ written: true });
    await rm(folder, { recursive: true });
  });
});

describe("without a server", () => {
  it("says so when nobody answers", async () => {
    const endpoint = `http://127.0.0.1:${await freePort()}`;
    const storage = s3Storage({
      bucket: "a-bucket",
      endpoint,
      credentials: { accessKeyId, secretAccessKey, sessionToken },
    });
    const error = await expectRefusal(storage, /a-bucket.*cannot be reached/);
    expect(error.hint).toContain("AWS_ENDPOINT_URL");
  });

  it("says so when there are no credentials", async () => {
    for (const name of ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"]) {
      vi.stubEnv(name, "");
    }
    vi.stubEnv("HOME", "/nonexistent");
    vi.stubEnv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent/credentials");
    vi.stubEnv("AWS_CONFIG_FILE", "/nonexistent/config");
    const error = await expectRefusal(s3Storage({ bucket: "a-bucket" }), /a-bucket.*no AWS credentials were found/);
    expect(error.hint).toContain("AWS_PROFILE");
  });

  it("says what to install when the SDK is missing", async () => {
    const missing = Object.assign(new Error("Cannot find package '@aws-sdk/client-s3'"), {
      code: "ERR_MODULE_NOT_FOUND",
    });
    await expect(loadSdk(() => Promise.reject(missing))).rejects.toMatchObject({
      code: "storage",
      hint: "Run: npm install @aws-sdk/client-s3",
    });
  });
});

describe("errors", () => {
  const action = { verb: "write", permission: "s3:PutObject", uri: "s3://b/k", bucket: "b", key: "k" };

  it("cross out credentials, known or looking like them", () => {
    const text = `key ${accessKeyId} secret ${secretAccessKey} ASIAABCDEFGHIJKLMNOP https://user:pass@host/x?X-Amz-Signature=abc&y`;
    const clean = withoutSecrets(text, SECRETS);
    for (const part of [...SECRETS, "ASIAABC", "user:pass", "=abc"]) expect(clean).not.toContain(part);
    expect(clean).toContain("https://…@host/x?X-Amz-Signature=…&y");
  });

  it.each([
    [{ name: "ExpiredToken", $metadata: { httpStatusCode: 400 } }, /credentials have expired/],
    [{ name: "PermanentRedirect", $metadata: { httpStatusCode: 301 } }, /AWS_REGION/],
    [{ name: "NotImplemented", $metadata: { httpStatusCode: 501 } }, /conditional writes/],
    [{ code: "DEPTH_ZERO_SELF_SIGNED_CERT", message: "self-signed certificate" }, /NODE_EXTRA_CA_CERTS/],
    [{ name: "SlowDown", $metadata: { httpStatusCode: 503 } }, /resume the run/],
  ])("give advice: %o", (fields, hint) => {
    expect(translate(Object.assign(new Error("told"), fields), action, []).hint).toMatch(hint);
  });
});

describe("s3:// URIs", () => {
  const storage = s3Storage({ bucket: "b", prefix: "/some/prefix/" });

  it("keep what readers that never decode must see", () => {
    expect(storage.uri).toBe("s3://b/some/prefix");
    expect(storage.uriOf("run/v1.0.0/a=1+2:b.pq")).toBe("s3://b/some/prefix/run/v1.0.0/a=1+2:b.pq");
    expect(s3Storage({ bucket: "b" }).uri).toBe("s3://b");
  });

  it("of others are understood, encoded or not", () => {
    expect(storage.keyOf("s3://b/some/prefix/with space%20and%2Fslash")).toBe("with space and/slash");
    expect(storage.keyOf("s3://b/some/prefix/100%")).toBe("100%");
    expect(storage.keyOf("s3://b/some/prefix/")).toBeUndefined();
    expect(storage.keyOf("s3://b/some/prefixes/a")).toBeUndefined();
  });

  it("are taken apart", () => {
    expect(parseS3Uri("s3://b/some/prefix/")).toEqual({ bucket: "b", prefix: "some/prefix" });
    expect(parseS3Uri("s3://b")).toEqual({ bucket: "b", prefix: "" });
    for (const bad of ["b/c", "s3://", "s3:///x", "https://b/c"])
      expect(() => parseS3Uri(bad)).toThrow("Not an S3 URI");
    expect(() => s3Storage({ bucket: "" })).toThrow("Not a bucket name");
    expect(() => s3Storage({ bucket: "b", prefix: "a/../b" })).toThrow("Not a storage key");
  });
});
