import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { spawnCli } from "./cli.ts";

const NOTES = new URL("./fixtures/loaded.mjs", import.meta.url).href;
const folder = mkdtempSync(join(tmpdir(), "scythe-loads-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What a command line loads: our own modules by path, and packages by name. */
async function loadedBy(...args: string[]) {
  const list = join(folder, `${args.join(" ").replace(/\W+/g, "-")}.txt`);
  const { code, err } = await spawnCli(args, {
    cwd: folder,
    node: ["--import", NOTES],
    env: { SCYTHE_TEST_LOADED: list },
  }).ended;
  const urls = readFileSync(list, "utf8").trim().split("\n");
  const own = urls.flatMap((url) => /\/dist\/([\w/-]+)\.js$/.exec(url)?.[1] ?? []);
  const packages = urls.flatMap((url) => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url)?.[1] ?? []);
  return {
    ...{ code, err, own, packages: [...new Set(packages)] },
    commands: own.flatMap((path) => /^cli\/commands\/(.*)$/.exec(path)?.[1] ?? []),
  };
}

describe("the command line loads", () => {
  it.each(["--version", "--help"])(
    "no command, nothing of the API and no package but its parser for %s",
    async (flag) => {
      const { code, err, own, packages, commands } = await loadedBy(flag);
      expect(code, err).toBe(0);
      expect(own).toContain("cli/program");
      expect(own).not.toContain("index");
      expect(commands).toEqual([]);
      expect(packages).toEqual(["commander"]);
    },
  );

  it.each(["run", "list", "show", "results", "worker"])("the one command that is named: %s", async (command) => {
    const { code, err, commands } = await loadedBy(command, "--help");
    expect(code, err).toBe(0);
    expect(commands).toEqual([command]);
  });

  it("neither tables, nor workers, a cluster or a bucket to list runs of a folder", async () => {
    const { code, err, own, packages } = await loadedBy("list", "--storage", folder);
    expect(code, err).toBe(0);
    expect(own).toEqual(expect.arrayContaining(["index", "project", "cli/commands/list"]));
    expect(own.filter((path) => /^(table|results|worker|scatter|allocate|engine\/hatchet)\//.test(path))).toEqual([]);
    expect(packages.filter((name) => /^(@duckdb|@hatchet-dev|@aws-sdk|@smithy)\b|^hyparquet/.test(name))).toEqual([]);
  });
});
