import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { dirname, join as joinPath } from "node:path/posix";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const SRC = fileURLToPath(new URL("../src", import.meta.url));

/** Lowest first: a module may import from its own layer's folder and from those before it (docs/architecture.md). */
const ORDER = [
  ["redact.ts", "bytes-text.ts", "package.ts"],
  ["errors.ts", "json.ts", "platform"],
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
  ["analysis"],
  ["worker", "results"],
  ["runs"],
  ["transfer"],
  ["audit"],
];
/** Entry points: they alone read settings and choose adapters. */
const ENTRIES = new Set([
  "index.ts",
  "doctor.ts",
  "init-project.ts",
  "read-specs.ts",
  "project.ts",
  "open-project.ts",
  "config.ts",
  "config-trust.ts",
  "open-storage.ts",
  "engines.ts",
  "hatchet-options.ts",
  "cli",
  "worker/process.ts",
  "table/duckdb-process.ts",
]);
/** Where else the environment is touched, and why; nowhere is a setting read. */
const ENVIRONMENT = new Map([
  ["storage/s3/client.ts", "sets a variable of the AWS SDK while a client is made: nothing else silences its warning"],
  ["platform/processes.ts", "hands it on to `ps`, with a language whose dates can be read"],
  ["audit/repro/repro-folder.ts", "holds the text of a script, which reads it where it runs"],
]);
/**
 * What `cli/` may import: the public API, and what `--help` and the first error need before the API is loaded, of which
 * the API exports all but the signals of a platform.
 */
const PUBLIC = new Set([
  "index.ts",
  "open-project.ts",
  "errors.ts",
  "package.ts",
  "bytes-text.ts",
  "platform/current.ts",
]);
/** Adapters: they import single files below all folders and what their own folder shares, and only entry points import them. */
const ADAPTER = /^(storage\/(local\/|s3\/|memory\.ts$)|engine\/(?!engine\.ts$))/;

/** A folder that holds more than this has rooms that cannot be guessed. Counted without tests and subfolders. */
const MOST_FILES = 25;

/** One file a command: as many as there are commands. */
const FOLDERS_LEFT = ["cli/commands"];

interface Import {
  from: string;
  to: string;
}

describe("layers", () => {
  const imports = allImports();

  it("finds the imports it is to judge", () => {
    expect(imports.length).toBeGreaterThan(200);
  });

  it("finds each form of an import", () => {
    const forms = [
      'import { a } from "./a.ts";',
      'import type { B } from "../b.ts";',
      'import {\n  type C,\n} from "./c/c.ts";',
      'import "./d.ts";',
      'export * from "./e.ts";',
      'export type { F } from "./f.ts";',
      'const { g } = await import("./g.ts");',
      'const h = () => import(\n  "./h.ts"\n);',
      'type I = typeof import("./i.ts");',
    ];
    const other = 'import pMap from "p-map"; import "node:fs";';
    expect(targetsIn([...forms, other].join("\n"))).toEqual([
      ...["./a.ts", "../b.ts", "./c/c.ts", "./d.ts", "./e.ts", "./f.ts", "./g.ts", "./h.ts", "./i.ts"],
    ]);
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

  it("let only entry points read the environment", () => {
    const readers = sources().filter((path) =>
      /\bprocess(\.env\b|\["env")|\benv\b[^{}]*\} = process\b|from "(node:)?process"/.test(
        readFileSync(join(SRC, path), "utf8"),
      ),
    );
    expect(readers.filter((path) => !isEntry(path) && !ENVIRONMENT.has(path))).toEqual([]);
    expect([...ENVIRONMENT.keys()].filter((path) => !readers.includes(path))).toEqual([]);
  });

  it("let nobody import an entry point but another one", () => {
    const stray = imports.filter(({ from, to }) => isEntry(to) && !isEntry(from));
    expect(stray.map(show)).toEqual([]);
  });

  it("let the command line use what any program may", () => {
    const stray = imports.filter(({ from, to }) => folder(from) === "cli" && folder(to) !== "cli" && !PUBLIC.has(to));
    expect(stray.map(show)).toEqual([]);
  });

  it("have no circles, type imports included", () => {
    expect(circles(imports)).toEqual([]);
  });

  it("finds a circle, however long", () => {
    const chain = (...files: string[]) => files.map((from, i) => ({ from, to: files[(i + 1) % files.length]! }));
    expect(circles([...chain("c", "a", "b"), { from: "b", to: "d" }, ...chain("y", "x")])).toEqual(["a, b, c", "x, y"]);
    expect(
      circles([
        { from: "a", to: "b" },
        { from: "a", to: "c" },
        { from: "b", to: "c" },
      ]),
    ).toEqual([]);
  });

  it("keep a folder small enough to be looked over", () => {
    const counts = new Map<string, number>();
    for (const path of sources()) counts.set(dirname(path), (counts.get(dirname(path)) ?? 0) + 1);
    const large = [...counts].filter(([folder, files]) => files > MOST_FILES && !FOLDERS_LEFT.includes(folder));
    expect(large).toEqual([]);
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
    return targetsIn(text).map((target) => ({ from, to: joinPath(dirname(from), target) }));
  });
}

/** Our own files that a source imports: of values or types, at once or when needed, to use or to export them. */
function targetsIn(text: string): string[] {
  return [...text.matchAll(/\b(?:from|import\s*\(?)\s*"(\.[^"]+)"/g)].map((match) => match[1]!);
}

/** Files that lead back to themselves, those that lead to one another together. */
function circles(imports: readonly Import[]): string[] {
  const targets = new Map<string, string[]>();
  for (const { from, to } of imports) targets.set(from, [...(targets.get(from) ?? []), to]);
  const reached = new Map([...targets.keys()].map((from) => [from, reachedFrom(from, targets)]));
  const inCircle = [...reached.keys()].filter((path) => reached.get(path)!.has(path)).sort();
  const groups = inCircle.map((path) =>
    inCircle.filter((other) => reached.get(path)!.has(other) && reached.get(other)!.has(path)),
  );
  return [...new Set(groups.map((group) => group.join(", ")))];
}

function reachedFrom(from: string, targets: ReadonlyMap<string, readonly string[]>): Set<string> {
  const reached = new Set<string>();
  for (const next = [...(targets.get(from) ?? [])]; next.length > 0; ) {
    const path = next.pop()!;
    if (reached.has(path)) continue;
    reached.add(path);
    next.push(...(targets.get(path) ?? []));
  }
  return reached;
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
