import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const SRC = fileURLToPath(new URL("../src", import.meta.url));

/** Lowest first: a module may import from its own layer's folder and from those before it (docs/architecture.md). */
const ORDER = [
  ["redact.ts"],
  ["errors.ts", "json.ts", "proc-stat.ts"],
  ["known-keys.ts"],
  ["private-folder.ts"],
  ["process-identity.ts"],
  ["temporary.ts"],
  ["schema"],
  ["storage", "engine"],
  ["table", "sampling"],
  ["spec-file"],
  ["experiment"],
  ["files"],
  ["run"],
  ["allocate"],
  ["scatter"],
  ["worker", "results"],
  ["runs"],
  ["transfer"],
  ["audit"],
];
/** Entry points: they alone read settings and choose adapters. */
const ENTRIES = new Set([
  "index.ts",
  "project.ts",
  "config.ts",
  "config-trust.ts",
  "open-storage.ts",
  "engines.ts",
  "hatchet-options.ts",
  "cli",
  "worker/process.ts",
  "table/duckdb-process.ts",
]);
/** Adapters: they import single files below all folders and what their own folder shares, and only entry points import them. */
const ADAPTER = /^(storage\/(local\/|s3\/|memory\.ts$)|engine\/(?!engine\.ts$))/;

interface Import {
  from: string;
  to: string;
}

describe("layers", () => {
  const imports = allImports();

  it("finds the imports it is to judge", () => {
    expect(imports.length).toBeGreaterThan(200);
  });

  it("point downward", () => {
    const upward = imports.filter(({ from, to }) => !isEntry(from) && !isAdapter(from) && rank(to) > rank(from));
    expect(upward.map(show)).toEqual([]);
  });

  it("keep folders of one layer apart", () => {
    const across = imports.filter(({ from, to }) => {
      const same = rank(from) === rank(to) && folder(from) !== folder(to);
      return !isEntry(from) && same;
    });
    expect(across.map(show)).toEqual([]);
  });

  it("let adapters import their interface and nothing else of ours", () => {
    const stray = imports.filter(
      ({ from, to }) =>
        isAdapter(from) && folder(from) !== folder(to) && rank(to) >= rank("schema/x.ts") && folder(to) !== "schema",
    );
    expect(stray.map(show)).toEqual([]);
  });

  it("let only entry points import adapters", () => {
    const stray = imports.filter(({ from, to }) => isAdapter(to) && !isAdapter(from) && !isEntry(from));
    expect(stray.map(show)).toEqual([]);
  });

  it("let nobody import an entry point but another one", () => {
    const stray = imports.filter(({ from, to }) => isEntry(to) && !isEntry(from));
    expect(stray.map(show)).toEqual([]);
  });

  it("keep every source file under 400 lines", () => {
    const long = sources().filter((path) => readFileSync(join(SRC, path), "utf8").split("\n").length > 401);
    expect(long).toEqual([]);
  });
});

function sources(): string[] {
  return (readdirSync(SRC, { recursive: true }) as string[])
    .map((path) => path.replaceAll("\\", "/"))
    .filter((path) => path.endsWith(".ts") && !/\.(test(suite|-d)?|hatchet)\.ts$/.test(path));
}

function allImports(): Import[] {
  return sources().flatMap((from) => {
    const text = readFileSync(join(SRC, from), "utf8");
    const targets = [...text.matchAll(/(?:from|import\()\s*"(\.[^"]+)"/g)].map((match) => match[1]!);
    return targets.map((target) => ({ from, to: relative(SRC, resolve(SRC, dirname(from), target)) }));
  });
}

function folder(path: string): string {
  return path.split("/")[0]!;
}

function rank(path: string): number {
  if (isEntry(path)) return ORDER.length;
  const found = ORDER.findIndex((layer) => layer.includes(folder(path)));
  if (found < 0) throw new Error(`${path} is in no layer: name its folder in this test and in docs/architecture.md`);
  return found;
}

function isEntry(path: string): boolean {
  return ENTRIES.has(path) || ENTRIES.has(folder(path));
}

function isAdapter(path: string): boolean {
  return ADAPTER.test(path);
}

function show({ from, to }: Import): string {
  return `${from} imports ${to}`;
}
