import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { runCli, spawnCli } from "./cli.ts";

const folder = realpathSync(mkdtempSync(join(tmpdir(), "scythe-cli-")));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const state = () => ({
  cwd: process.cwd(),
  env: { ...process.env },
  argv: [...process.argv],
  exitCode: process.exitCode,
  writes: [process.stdout.write, process.stderr.write],
});

it.each([
  [["--version"], 0],
  [["show", "nothing", "--storage", "runs"], 2],
  [["no-such-command"], 2],
  [["list", "--no-such-option"], 2],
])("the command line in the test's own process ends as in one of its own: %j", async (args, code) => {
  const options = { cwd: folder, env: { SCYTHE_TEST_HERE: "1" } };
  const own = await spawnCli(args, options).ended;
  const before = state();
  const here = await runCli(args, options);
  expect(here).toEqual(own);
  expect(here.code).toBe(code);
  expect(here.out + here.err).not.toBe("");
  expect(state()).toEqual(before);
});

it("gives everything back where it cannot even begin", async () => {
  const before = state();
  await expect(runCli(["--version"], { cwd: join(folder, "missing") })).rejects.toThrow("ENOENT");
  expect(state()).toEqual(before);
  expect((await runCli(["--version"])).code).toBe(0);
});
