import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const read = (path: string) => readFileSync(join(ROOT, path), "utf8");
const manifest = JSON.parse(read("package.json"));

interface Entry {
  version: string;
  integrity?: string;
  resolved?: string;
  link?: boolean;
  optionalDependencies?: Record<string, string>;
}
const lockfile = (path: string) => {
  const packages = Object.entries(JSON.parse(read(path)).packages as Record<string, Entry>);
  return { packages, installed: packages.filter(([path]) => path !== "") };
};

describe.each([
  { path: "package-lock.json", least: 100 },
  { path: "scripts/api-docs/package-lock.json", least: 20 },
])("$path", ({ path, least }) => {
  const { packages, installed } = lockfile(path);

  it("has the hash of every package, and no address that somebody could have put there", () => {
    expect(installed.length).toBeGreaterThan(least);
    expect(installed.filter(([, { integrity }]) => !/^sha512-[\w+/]{86}==$/.test(integrity ?? ""))).toEqual([]);
    expect(installed.filter(([, { resolved, link }]) => resolved !== undefined || link)).toEqual([]);
  });

  it("has the binaries of every platform", () => {
    const names = new Set(installed.map(([path]) => path.split("node_modules/").at(-1)));
    const missing = packages.flatMap(([path, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies)
        .filter((name) => !names.has(name))
        .map((name) => `${name}, of ${path}`),
    );
    expect(missing).toEqual([]);
    if (path === "package-lock.json") expect(names).toContain("@duckdb/node-bindings-win32-x64");
  });
});

describe("npm run sbom", () => {
  it("names all that the package brings along, with hashes, and nothing else", () => {
    const sbom = JSON.parse(execFileSync("node", [join(ROOT, "scripts/sbom.mjs")], { encoding: "utf8" }));
    const components: { name: string; hashes: unknown[] }[] = sbom.components;
    const names = components.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(Object.keys(manifest.dependencies)));
    const developing = Object.keys(manifest.devDependencies).filter((name) => !(name in manifest.dependencies));
    expect(names.filter((name) => developing.includes(name))).toEqual([]);
    expect(components.filter(({ hashes }) => !hashes?.length)).toEqual([]);
    const refs = new Set([sbom.metadata.component["bom-ref"], ...sbom.components.map((c: never) => c["bom-ref"])]);
    const edges = sbom.dependencies.flatMap(({ dependsOn }: { dependsOn: string[] }) => dependsOn);
    expect(edges.filter((ref: string) => !refs.has(ref))).toEqual([]);
  });
});

describe("images", () => {
  const DIGEST = /@sha256:[0-9a-f]{64}$/;

  it("of docker/compose.yml are pinned by digest", () => {
    const { services } = parse(read("docker/compose.yml")) as { services: Record<string, { image?: string }> };
    const images = Object.values(services).flatMap(({ image }) => image ?? []);
    expect(images).toHaveLength(4);
    expect(images.filter((image) => !DIGEST.test(image))).toEqual([]);
  });

  it("of docker/worker.Dockerfile are pinned by digest", () => {
    const text = read("docker/worker.Dockerfile");
    const image = /^ARG NODE_IMAGE=(\S+)$/m.exec(text)?.[1] ?? "";
    expect(image).toMatch(DIGEST);
    const bases = [...text.matchAll(/^FROM (\S+)/gm)].map((match) => match[1]);
    expect(new Set(bases)).toEqual(new Set([`\${NODE_IMAGE}`]));
  });
});

describe(".github/workflows/ci.yml", () => {
  const { permissions, jobs } = parse(read(".github/workflows/ci.yml"));
  const { strategy, steps } = jobs.test as { strategy: { matrix: Record<string, string[]> }; steps: Step[] };
  interface Step {
    uses?: string;
    run?: string;
  }

  it("may only read, and pins what it uses", () => {
    expect(permissions).toEqual({ contents: "read" });
    const used = steps.flatMap(({ uses }) => uses ?? []);
    expect(used.length).toBeGreaterThan(1);
    expect(used.filter((action) => !/^actions\/[\w-]+@(v\d+|[0-9a-f]{40})$/.test(action))).toEqual([]);
  });

  it("checks and tests on three systems, from the oldest Node.js that the package takes", () => {
    expect(strategy.matrix.os).toEqual(["ubuntu-latest", "macos-latest", "windows-latest"]);
    expect(`>=${strategy.matrix.node![0]}`).toBe(manifest.engines.node);
    const commands = steps.flatMap(({ run }) => run ?? []);
    for (const command of ["npm ci", "npm run check", "npm start", "npm test"]) expect(commands).toContain(command);
    const scripts = commands.flatMap((command) => /^npm (?:run )?([\w:]+)$/.exec(command)?.[1] ?? []);
    expect(scripts.filter((name) => name !== "ci" && !(name in manifest.scripts))).toEqual([]);
  });
});
