import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openProject } from "scythe-ts";
import { afterAll, describe, expect, it } from "vitest";
import { collect } from "./collect.ts";

const PROJECT = fileURLToPath(new URL("./fixtures/security", import.meta.url));
const SPECS = 20;

describe.each(["local", "inline"])("output files on engine %s", (engine) => {
  const folder = mkdtempSync(join(tmpdir(), "scythe-test-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const shared = join(folder, "shared.txt");

  async function ran(how: string, count = SPECS) {
    await using scythe = await openProject(PROJECT, { storage: join(folder, how), engine });
    const specs = Array.from({ length: count }, (_, n) => ({ n, how, shared }));
    const run = await scythe.allocate("filed", specs);
    const results = await run.result();
    const fields = ["file", "twin", "many"];
    const files = (await Promise.all(fields.map((field) => collect(results.files(field))))).flat();
    const verified = await scythe.audit.verify(run.experimentId);
    return { errors: await collect(results.errors()), rows: await collect(results.rows()), files, verified };
  }

  it.each(["inside", "relative", "url_inside", "link_inside", "hard_link", "late"])(
    "%s: each spec's own content is stored",
    async (how) => {
      const { errors, rows, files, verified } = await ran(how);
      expect(errors).toEqual([]);
      expect(rows).toHaveLength(SPECS);
      expect(files).toHaveLength(4 * SPECS);
      expect(files.filter(({ sortIndex, path }) => readFileSync(path!, "utf8") !== `n=${sortIndex}`)).toEqual([]);
      expect(verified.result).toBe("verified");
    },
    120_000,
  );

  it("what is recorded is what is stored, where a spec goes on writing", async () => {
    const { files, verified } = await ran("open"); // verify hashes each file
    expect(files).toHaveLength(4 * SPECS);
    expect(verified.result).toBe("verified");
  }, 120_000);

  it.each(["outside", "url_outside", "link_out", "folder_link_out", "temp_dir_is_link", "above"])(
    "%s: is that spec's invalid_output, and the file is left alone",
    async (how) => {
      const { errors, rows, files } = await ran(how, 3);
      expect([rows, files]).toEqual([[], []]);
      expect(errors).toHaveLength(3);
      for (const error of errors) {
        expect(error.kind).toBe("invalid_output");
        expect(error.message).toMatch(/filed named a file in file that is not in its ctx\.tempDir: \/.*\. Write it to/);
      }
      if (how !== "above") expect(existsSync(shared)).toBe(true);
    },
    120_000,
  );

  it.each(["folder", "pipe"])(
    "a %s is no file",
    async (how) => {
      const { errors } = await ran(how, 1);
      const message = expect.stringContaining("something in file that is not a file");
      expect(errors).toMatchObject([{ kind: "invalid_output", message }]);
    },
    120_000,
  );

  it("a URL of another host is no file", async () => {
    const { errors } = await ran("url_of_a_host", 1);
    expect(errors).toMatchObject([{ kind: "invalid_output", message: expect.stringContaining("file://elsewhere") }]);
  }, 120_000);

  it.each(["web", "bucket"])(
    "%s: stays as it is",
    async (how) => {
      const { errors, rows } = await ran(how, 2);
      expect(errors).toEqual([]);
      const uris =
        how === "web"
          ? ["https://example.com/0?x=1", "https://example.com/1?x=1"]
          : ["s3://elsewhere/0", "s3://elsewhere/1"];
      expect(rows).toMatchObject(uris.map((uri) => ({ file: uri, twin: uri, many: [uri, uri] })));
    },
    120_000,
  );
});
