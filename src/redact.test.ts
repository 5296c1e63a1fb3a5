import { describe, expect, it } from "vitest";
import { isSecretName, redact } from "./redact.ts";

const KEY = "AKIAIOSFODNN7EXAMPLE";

describe("redact", () => {
  it.each([
    ["GET https://ann:hunter2@host/x failed", "GET https://…@host/x failed"],
    ["postgres://user:p%40ss@db:5432/x", "postgres://…@db:5432/x"],
    ["https://token-only@host/", "https://…@host/"],
    ["https://h/x?sig=abc%2F&se=2026", "https://h/x?sig=…&se=2026"],
    [
      "https://h/x?X-Amz-Signature=abc&X-Amz-Credential=AB/c&a=1",
      "https://h/x?X-Amz-Signature=…&X-Amz-Credential=…&a=1",
    ],
    ["https://h/x?page=2&api_key=s3cr3t#top", "https://h/x?page=2&api_key=…"],
    ["password=hunter2 retry=3", "password=… retry=3"],
    ["DB_PASSWORD='a b' x", "DB_PASSWORD=… x"],
    ["MY_ACCESS_TOKEN=abc;", "MY_ACCESS_TOKEN=…;"],
    ['{"password": "hunter2", "n": 1}', '{"password": "…", "n": 1}'],
    ["authorization: Bearer abcdefgh.ijkl", "authorization: Bearer …"],
    [`the key ${KEY} is wrong`, "the key … is wrong"],
    ["ghp_0123456789abcdefghij0123", "…"],
    ["eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", "…"],
  ])("hides the secret of %s", (text, shown) => expect(redact(text)).toBe(shown));

  it.each([
    "Unexpected token o in JSON at position 1",
    "Unexpected token: name (a)",
    "https://example.com/a?page=2&sort=up",
    "design=3, assign=x, signal=SIGTERM, tokens",
    "mail to ann@example.com",
    "TypeError: x.key is not a function at /a/b@2/c.ts:1:2",
    "s3://bucket/a@b/c=1/x.parquet",
    "the author=Ann",
  ])("leaves %s as it is", (text) => expect(redact(text)).toBe(text));

  it("knows secrets by their names", () => {
    for (const name of ["password", "--api-key", "AWS_SECRET_ACCESS_KEY", "NODE_AUTH_TOKEN", "db.passwd"]) {
      expect(isSecretName(name), name).toBe(true);
    }
    for (const name of ["design", "keyword", "author", "path", "sort_key", "NODE_OPTIONS"])
      expect(isSecretName(name), name).toBe(false);
  });
});
