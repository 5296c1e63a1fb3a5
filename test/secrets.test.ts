import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { addChecksum, withoutChecksum } from "../src/run/checksum.ts";
import { cliProject } from "./cli-project.ts";

const CONFIG = (passEnv: string) => `
import { defineConfig, defineExperiment } from "scythe-ts";
import { z } from "zod";
const looks = defineExperiment({
  name: "looks",
  input: z.object({ how: z.string() }),
  output: z.object({ env: z.string() }),
  retries: 0,
  run({ how }, ctx) {
    const secret = "GET https://ann:hunter2@host/x?sig=hunter2&page=1 password=hunter2 AKIAHUNTER2HUNTER2XX";
    if (how === "throws") throw new Error(secret, { cause: new Error("token=hunter2") });
    ctx.log(secret);
    console.log(secret);
    return { env: Object.keys(process.env).sort().join(" ") };
  },
});
export default defineConfig({ experiments: [looks], ${passEnv} });
`;
const KEYS = {
  AWS_ACCESS_KEY_ID: "hunter2",
  AWS_SECRET_ACCESS_KEY: "hunter2",
  GITHUB_TOKEN: "hunter2",
  MY_SETTING: "s",
  HATCHET_CLIENT_TOKEN: "",
  NODE_AUTH_TOKEN: "hunter2",
};
const project = cliProject(CONFIG(""));
afterAll(() => project.remove());
let id: string;

beforeAll(async () => {
  const args = ["run", "looks", "--grid", "how=throws,tells", "--json", "--max-failures", "5"];
  id = JSON.parse((await project.scytheWith({ env: KEYS }, ...args)).out).experiment_id;
}, 60_000);

describe("credentials", () => {
  it("of the environment do not reach specs, unless the config names them", async () => {
    const [row] = (await project.json("results", "looks", "--json")).rows;
    const names: string[] = row.env.split(" ");
    expect(names).toContain("PATH");
    for (const name of Object.keys(KEYS)) expect(names).not.toContain(name);
    writeFileSync(join(project.folder, "scythe.config.ts"), CONFIG('passEnv: ["AWS_*", "MY_SETTING"]'));
    const again = await project.scytheWith({ env: KEYS }, "run", "looks", "--set", "how=tells", "--json");
    const named = JSON.parse(again.out).experiment_id;
    const [own] = (await project.json("results", named, "--json")).rows;
    expect(own.env.split(" ")).toEqual(expect.arrayContaining(["AWS_ACCESS_KEY_ID", "MY_SETTING"]));
    expect(own.env.split(" ")).not.toContain("GITHUB_TOKEN");
  }, 60_000);

  it("in what a function throws, logs and prints are hidden wherever it is told", async () => {
    const { out, err } = await project.scythe("errors", id);
    const json = await project.scythe("errors", id, "--json");
    expect(json.out).toContain("https://…@host/x?sig=…&page=1 password=…");
    const folder = join(project.folder, "scythe-data", id);
    const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    const texts = files.map(({ parentPath, name }) => readFileSync(join(parentPath, name), "latin1"));
    expect(texts.some((text) => text.includes("sig=\u00e2\u0080\u00a6&page=1"))).toBe(true); // an event holds it as text
    for (const text of [out, err, json.out, json.err, ...texts]) expect(text.toLowerCase()).not.toContain("hunter2");
  }, 60_000);

  it("in what is typed are not recorded", async () => {
    const url = "https://ann:hunter2@host/x?sig=hunter2";
    const args = ["run", "looks", "--set", `how=${url}`, "--json"];
    const ran = JSON.parse((await project.scythe(...args)).out).experiment_id;
    const manifest = readFileSync(join(project.folder, "scythe-data", ran, "manifest.yml"), "utf8");
    expect(manifest).toMatch(/command: .*https:\/\/…@host/);
    expect(manifest).not.toContain("hunter2");
  }, 60_000);
});

it("a manifest that was written to steer the terminal is shown as what it is", async () => {
  const path = join(project.folder, "scythe-data", id, "manifest.yml");
  const forged = withoutChecksum(readFileSync(path, "utf8"))
    .replace(/git_commit: .*/, "git_commit: null")
    .replace(/^command: .*$/m, 'command: "\\e]0;owned\\a \\u202Etxt \\e[2J"');
  writeFileSync(path, addChecksum(forged));
  for (const args of [
    ["show", id],
    ["lineage", id],
    ["show", id, "--json"],
    ["lineage", id, "--json"],
    ["list", "looks"],
  ]) {
    const { out, err } = await project.scythe(...args);
    expect(out + err, args.join(" ")).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
  }
  expect((await project.scythe("lineage", id)).out).toContain("\\u001b]0;owned");
}, 60_000);
