import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, it } from "vitest";
import { spawnCli } from "./cli.ts";

const PROJECT = fileURLToPath(new URL("./fixtures/steady", import.meta.url));
const NO_LINKS = fileURLToPath(new URL("./fixtures/no-links.mjs", import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), "scythe-doctor-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

interface Finding {
  what: string;
  state: string;
  said: string;
  todo?: string;
}

it.each([
  ["a disk that has hard links", "", ["ok"]],
  ["a disk without hard links", `--import=${NO_LINKS}`, ["ok", "warning"]],
])("scythe doctor looks at %s, and leaves nothing there", async (name, node, states) => {
  const storage = join(scratch, name);
  const args = ["doctor", "--json", "--storage", storage, "--engine", "local"];
  const env = { NODE_OPTIONS: node, HATCHET_CLIENT_TOKEN: undefined };
  const { code, out, err } = await spawnCli(args, { cwd: PROJECT, env }).ended;
  expect(code, err).toBe(0);
  const { problems, findings } = JSON.parse(out) as { problems: number; findings: Finding[] };
  expect(problems).toBe(0);
  const ofStorage = findings.filter(({ what }) => what === "storage");
  expect(ofStorage.map(({ state }) => state)).toEqual(states);
  if (node)
    expect(ofStorage[1]).toMatchObject({ said: expect.stringContaining("no hard links"), todo: expect.any(String) });
  const left = readdirSync(storage, { recursive: true });
  expect(left.filter((path) => ![".scythe-tmp", join(".scythe-tmp", "locks")].includes(String(path)))).toEqual([]);
});
