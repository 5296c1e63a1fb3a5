import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { downloadHttp, isPublic } from "./http.ts";

describe("isPublic", () => {
  it.each([
    ...["127.0.0.1", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254", "0.0.0.0"],
    ...["100.64.0.1", "198.18.0.1", "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fc00::1", "fd12::1"],
    ...[
      "::ffff:127.0.0.1",
      "::ffff:10.0.0.1",
      "64:ff9b::7f00:1",
      "2002:7f00:1::",
      "2001:db8::1",
      "ff02::1",
      "nonsense",
    ],
  ])("hides %s", (address) => expect(isPublic(address)).toBe(false));

  it.each(["1.1.1.1", "172.32.0.1", "8.8.8.8", "2606:4700:4700::1111"])("shows %s", (address) =>
    expect(isPublic(address)).toBe(true),
  );
});

describe("downloadHttp", () => {
  const folder = mkdtempSync(join(tmpdir(), "scythe-http-"));
  const path = join(folder, "file");
  let server: Server;
  let host: string;
  let hits: string[] = [];
  beforeAll(async () => {
    server = createServer((request, response) => {
      hits.push(request.url!);
      const [what, argument] = request.url!.slice(1).split("?");
      if (what === "ok") response.end("content");
      else if (what === "redirect") response.writeHead(302, { location: decodeURIComponent(argument!) }).end();
      else if (what === "large") response.end("x".repeat(10_000));
      else if (what === "endless") {
        response.write("x");
        const timer = setInterval(() => response.write("x".repeat(1_000)), 1);
        response.on("close", () => clearInterval(timer));
      } else if (what === "short") {
        response.writeHead(200, { "content-length": "100" });
        response.write("only this");
        setTimeout(() => response.destroy(), 20);
      } else if (what === "silent") response.write("x");
      else response.writeHead(404).end();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const allowed = () => ({ allowHosts: [host] });

  it("fetches from a host that the config allows", async () => {
    await downloadHttp(`http://${host}/ok`, path, allowed());
    expect(readFileSync(path, "utf8")).toBe("content");
  });

  it("follows redirects", async () => {
    await downloadHttp(`http://${host}/redirect?/ok`, path, allowed());
    expect(readFileSync(path, "utf8")).toBe("content");
  });

  it.each(["127.0.0.1", "localhost", "0x7f.1", "2130706433", "[::1]", "[::ffff:127.0.0.1]"])(
    "refuses %s before it connects",
    async (name) => {
      hits = [];
      const port = host.split(":")[1];
      const fetched = downloadHttp(`http://${name}:${port}/ok`, path);
      await expect(fetched).rejects.toMatchObject({
        code: "invalid_input",
        message: expect.stringContaining("not a public address"),
      });
      expect(hits).toEqual([]);
    },
  );

  it("refuses a redirect to a private address that is not allowed", async () => {
    for (const target of ["http://169.254.169.254/latest/meta-data", "http://10.0.0.1/", "http://[fd00::1]/"]) {
      const fetched = downloadHttp(`http://${host}/redirect?${encodeURIComponent(target)}`, path, allowed());
      await expect(fetched).rejects.toThrow("not a public address");
    }
  });

  it("refuses other schemes, also behind a redirect", async () => {
    await expect(downloadHttp("file:///etc/passwd", path)).rejects.toThrow("only http");
    await expect(downloadHttp(`http://${host}/redirect?file:///etc/passwd`, path, allowed())).rejects.toThrow(
      "only http",
    );
  });

  it("gives up on a ring of redirects", async () => {
    await expect(downloadHttp(`http://${host}/redirect?/redirect?/ok`, path, allowed())).rejects.toThrow(
      /redirect|404/,
    );
    await expect(
      downloadHttp(`http://${host}/redirect?${encodeURIComponent("/redirect?%2Fredirect")}`, path, allowed()),
    ).rejects.toMatchObject({ code: "invalid_input" });
  });

  it("stops at the byte limit, announced or not", async () => {
    await expect(downloadHttp(`http://${host}/large`, path, { ...allowed(), maxBytes: 100 })).rejects.toThrow("100");
    await expect(downloadHttp(`http://${host}/endless`, path, { ...allowed(), maxBytes: 5_000 })).rejects.toThrow(
      "5000",
    );
  });

  it("stops at the time limit", async () => {
    await expect(downloadHttp(`http://${host}/silent`, path, { ...allowed(), timeoutMs: 200 })).rejects.toThrow();
  });

  it("notices a body that was cut", async () => {
    await expect(downloadHttp(`http://${host}/short`, path, allowed())).rejects.toMatchObject({
      code: "invalid_input",
    });
  });

  it("says what the server answered, without the URL's secrets", async () => {
    const fetched = downloadHttp(`http://user:secret@${host}/none?token=secret`, path, allowed());
    await expect(fetched).rejects.toThrow(`http://${host}/none: the server answered 404`);
    await expect(fetched).rejects.not.toThrow("secret");
  });
});
