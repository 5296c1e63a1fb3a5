import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

describe("the package", () => {
  const folder = mkdtempSync(join(tmpdir(), "scythe-package-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const npm = (cwd: string, ...args: string[]) =>
    execFileSync("npm", [...args, "--no-audit", "--no-fund", "--loglevel=error"], { cwd, encoding: "utf8" });

  it("installs from its tarball into an empty project, where init and a run work", () => {
    const [packed] = JSON.parse(npm(ROOT, "pack", "--json", "--ignore-scripts", "--pack-destination", folder));
    const names = packed.files.map((file: { path: string }) => file.path) as string[];
    expect(names).toContain("dist/cli/main.js");
    expect(names).toContain("dist/index.d.ts");
    expect(names.filter((name) => /\.test\.|testsuite|^src\/|^test\/|^examples\//.test(name))).toEqual([]);

    for (const map of names.filter((name) => name.endsWith(".map"))) {
      const { sources, sourcesContent } = JSON.parse(readFileSync(join(ROOT, map), "utf8"));
      expect(sourcesContent, map).toHaveLength(sources.length); // nothing points to a file that is not there
    }
    expect(JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")).repository.url).toMatch(/^git\+https:/);

    const tool = join(folder, "tool");
    mkdirSync(tool);
    writeFileSync(join(tool, "package.json"), "{}");
    const tarball = join(folder, packed.filename);
    npm(tool, "install", tarball, "zod@4");
    expect(existsSync(join(tool, "node_modules/@aws-sdk"))).toBe(false); // a laptop's user never loads it
    const scythe = (cwd: string, ...args: string[]) =>
      execFileSync(process.execPath, [join(tool, "node_modules/scythe-ts/dist/cli/main.js"), ...args], {
        cwd,
        encoding: "utf8",
        stdio: ["ignore", "pipe", "pipe"],
      });

    scythe(folder, "init", "study");
    const study = join(folder, "study");
    const manifest = JSON.parse(readFileSync(join(study, "package.json"), "utf8"));
    expect(Object.keys(manifest.dependencies).sort()).toEqual(["scythe-ts", "zod"]);
    npm(study, "install", tarball);
    expect(existsSync(join(study, "node_modules/@hatchet-dev"))).toBe(false);
    // also where nothing of a library's types may be skipped, and without the SDKs
    const strictly = ["exec", "--no", "--", "tsc", "--noEmit", "--skipLibCheck", "false"];
    expect(execFileSync("npm", strictly, { cwd: study, encoding: "utf8" })).toBe("");
    const experiment = JSON.parse(scythe(study, "list", "--json")).experiments[0].name;
    const done = JSON.parse(scythe(study, "run", experiment, "--specs", "specs.csv", "--json"));
    expect(done).toMatchObject({ status: "complete", failed: 0, missing: 0 });
    expect(done.succeeded).toBe(done.allocated);
    expect(existsSync(join(study, "scythe-data", done.experiment_id, "final/scalars.pq"))).toBe(true);
  }, 180_000);
});
