import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { defineExperiment, fileRef, openProject, type Scythe } from "scythe-ts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { collect } from "./collect.ts";

const input = z.object({ source: fileRef(), more: z.array(fileRef()).optional() });
const output = z.object({ text: z.string(), where: z.string() });
const text = (paths: string[]) => paths.map((path) => readFileSync(path, "utf8")).join();

const cached = defineExperiment({
  name: "cached",
  input,
  output,
  run: ({ source, more = [] }) => ({ text: text([source, ...more]), where: source }),
});
const copied = defineExperiment({
  name: "copied",
  input,
  output,
  files: "copied-to-tempdir",
  run({ source, more = [] }, { tempDir }) {
    for (const path of [source, ...more]) {
      if (dirname(path) !== tempDir) throw new Error(`${path} is not in ${tempDir}`);
      appendFileSync(path, "!");
    }
    return { text: text([source, ...more]), where: source };
  },
});
const asked = defineExperiment({
  name: "asked",
  input,
  output,
  autoFetch: false,
  run: async ({ source }, { fetchUri }) => ({ text: text([await fetchUri(source)]), where: source }),
});

describe("input files", () => {
  const folder = mkdtempSync(join(tmpdir(), "scythe-inputs-"));
  const local = join(folder, "local.txt");
  let server: Server;
  let url: string;
  let requests = 0;
  let scythe: Scythe;
  beforeAll(async () => {
    writeFileSync(local, "local");
    server = createServer((request, response) => {
      requests++;
      if (request.url === "/weather.txt") response.end("remote");
      else response.writeHead(404).end();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    url = `http://${host}/weather.txt`;
    scythe = await openProject({
      experiments: [cached, copied, asked],
      storage: join(folder, "data"),
      allowHosts: [host],
      cache: { folder: join(folder, "cache") },
    });
  });
  afterAll(async () => {
    await scythe.close();
    server.close();
    rmSync(folder, { recursive: true, force: true });
  });
  type Spec = { source: string; more?: string[] };
  const rowsOf = async (experiment: "cached" | "copied" | "asked", specs: Spec[], options = {}) => {
    const run = await scythe.allocate(experiment, specs, options);
    const results = await run.result();
    const rows = (await collect(results.rows())) as unknown as { text: string; where: string; source: string }[];
    return { rows, errors: await collect(results.errors()), run };
  };

  it("come as local paths, remote ones fetched once", async () => {
    const { rows } = await rowsOf("cached", [{ source: local }, { source: url, more: [local, url] }, { source: url }]);
    expect(rows.map((row) => row.text)).toEqual(["local", "remote,local,remote", "remote"]);
    expect(rows[0]!.where).toContain("/artifacts/source/local.txt");
    expect(rows[1]!.source).toBe(url); // the index keeps the reference
    expect(requests).toBe(1);
  });

  it("come as copies that a function may change", async () => {
    const { rows, run } = await rowsOf("copied", [{ source: local, more: [local, url] }, { source: local }]);
    expect(rows.map((row) => row.text)).toEqual(["local!,local!,remote!", "local!"]);
    expect(readFileSync(fileURLToPath(`${run.uri}/artifacts/source/local.txt`), "utf8")).toBe("local");
  });

  it("stay references when nobody asks", async () => {
    const { rows } = await rowsOf("asked", [{ source: local }, { source: url }]);
    expect(rows.map((row) => row.text)).toEqual(["local", "remote"]);
    expect(rows[0]!.where).toMatch(/^file:\/\/.*\/artifacts\/source\/local\.txt$/);
    expect(rows[1]!.where).toBe(url);
  });

  it("are stored with the run on demand, remote ones, too", async () => {
    const { rows, run } = await rowsOf("cached", [{ source: url }], { copyInputs: true });
    expect(rows[0]).toMatchObject({ text: "remote", source: `${run.uri}/artifacts/source/weather.txt` });
    const missing = scythe.allocate("cached", [{ source: url.replace("weather", "none") }], { copyInputs: true });
    await expect(missing).rejects.toThrow(/spec 0, source = .*404/);
  });

  it("that cannot be had cost their spec only", async () => {
    const { rows, errors } = await rowsOf("cached", [
      { source: local },
      { source: url.replace("weather", "none") },
      { source: "http://10.1.2.3/secret" },
    ]);
    expect(rows).toHaveLength(1);
    expect(errors.map(({ kind, message }) => `${kind}: ${message}`)).toEqual([
      expect.stringMatching(/^missing_file: .*the server answered 404/),
      expect.stringMatching(/^missing_file: .*not a public address/),
    ]);
  });
});
