import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";

/**
 * What the documentation shows is done as a reader would do it: a block `ts file=study.ts` is written to that file, a
 * block `sh run` is run in the same folder, and the lines of a block `text output` after it are in what it prints. The
 * blocks of a page share one folder, in which this package and zod are installed; its TypeScript is type-checked. A block
 * `sh run example=lifespan` needs a copy of that example in it.
 */

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "scythe-snippets-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const STRICT = {
  strict: true,
  noEmit: true,
  allowImportingTsExtensions: true,
  target: "es2022",
  lib: ["es2023", "esnext.disposable"],
  module: "nodenext",
  types: ["node"],
  skipLibCheck: true,
};

interface Block {
  info: string[];
  text: string;
}

const pages = ["README.md", ...(readdirSync(join(ROOT, "docs"), { recursive: true }) as string[]).map(inDocs)]
  .filter((path) => path.endsWith(".md"))
  .map((path) => ({ path, blocks: blocksOf(readFileSync(join(ROOT, path), "utf8")) }))
  .filter(({ blocks }) => blocks.some(({ info }) => info.includes("run")));

function inDocs(path: string): string {
  return join("docs", path);
}

function blocksOf(markdown: string): Block[] {
  return [...markdown.matchAll(/^```(\S+)([^\n]*)\n([\s\S]*?)^```$/gm)].map(([, language, rest, text]) => ({
    info: [language!, ...rest!.trim().split(/\s+/).filter(Boolean)],
    text: text!,
  }));
}

function wordOf(info: readonly string[], key: string): string | undefined {
  return info.find((word) => word.startsWith(`${key}=`))?.slice(key.length + 1);
}

/** A folder as `npm install scythe-ts zod` leaves it. */
function newProject(): string {
  const project = mkdtempSync(join(folder, "project-"));
  const modules = join(project, "node_modules");
  mkdirSync(join(modules, ".bin"), { recursive: true });
  writeFileSync(join(project, "package.json"), `{ "private": true, "type": "module" }`);
  writeFileSync(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions: STRICT, include: ["**/*.ts"] }));
  symlinkSync(ROOT, join(modules, "scythe-ts"));
  symlinkSync(join(ROOT, "node_modules/zod"), join(modules, "zod"));
  symlinkSync(join(ROOT, "node_modules/@types"), join(modules, "@types"));
  for (const [name, program] of Object.entries({
    scythe: join(ROOT, "dist/cli/main.js"),
    jiti: join(ROOT, "node_modules/jiti/lib/jiti-cli.mjs"),
    tsc: join(ROOT, "node_modules/typescript/bin/tsc"),
  })) {
    const shim = `#!/bin/sh\nexec "${process.execPath}" "${program}" "$@"\n`;
    writeFileSync(join(modules, ".bin", name), shim, { mode: 0o755 });
  }
  // what npx does in such a folder, without the time that npm takes to start
  writeFileSync(join(modules, ".bin/npx"), `#!/bin/sh\nexec "$@"\n`, { mode: 0o755 });
  return project;
}

/** The files of an example that are in Git, but for its tests. */
function copyExample(name: string, project: string): void {
  const made = ["generated", "scythe-data", "node_modules"];
  cpSync(join(ROOT, "examples", name), project, {
    recursive: true,
    filter: (path) => !made.includes(basename(path)) && !path.endsWith(".test.ts"),
  });
}

/** What a script prints, to either stream. @throws when one of its commands fails */
async function run(script: string, cwd: string): Promise<string> {
  const env = {
    ...process.env,
    PATH: `${join(cwd, "node_modules/.bin")}${delimiter}${process.env.PATH}`,
    SCYTHE_CACHE_DIR: join(cwd, "cache"),
    SCYTHE_WORKER_SLOTS: "1",
    NO_COLOR: "1",
    NODE_PATH: "",
  };
  const child = spawn("bash", ["-eo", "pipefail", "-c", script], { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
  let printed = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text) => {
      printed += text;
    });
  }
  const [code] = await once(child, "close");
  if (code !== 0) throw new Error(`Exit code ${code} of:\n${script}\n${printed}`);
  return printed;
}

function assertPrinted(printed: string, expected: string): void {
  let from = 0;
  for (const line of expected.split("\n").filter((text) => text.trim() !== "")) {
    const at = printed.indexOf(line.trim(), from);
    expect(at, `"${line}" in what was printed:\n${printed}`).toBeGreaterThanOrEqual(0);
    from = at;
  }
}

describe("the documentation does what it shows", () => {
  it("in the pages that a newcomer reads first", () => {
    expect(pages.map(({ path }) => path)).toEqual(
      expect.arrayContaining(["README.md", "docs/guide/experiment.md", "docs/guide/library.md"]),
    );
  });

  it.each(pages)(
    "$path",
    async ({ blocks }) => {
      const project = newProject();
      let printed = "";
      for (const { info, text } of blocks) {
        const file = wordOf(info, "file");
        const example = wordOf(info, "example");
        if (example) copyExample(example, project);
        if (file) {
          mkdirSync(dirname(join(project, file)), { recursive: true });
          writeFileSync(join(project, file), text);
        } else if (info.includes("run")) {
          printed = await run(text, project);
        } else if (info.includes("output")) assertPrinted(printed, text);
      }
      await run("npx tsc -p .", project);
    },
    300_000,
  );
});
