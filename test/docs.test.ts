import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

const pages = ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", ...markdown("docs"), ...markdown("examples")];

function markdown(folder: string): string[] {
  return (readdirSync(join(ROOT, folder), { recursive: true }) as string[])
    .filter((path) => path.endsWith(".md") && !path.includes("node_modules"))
    .map((path) => join(folder, path));
}

describe("documentation", () => {
  it.each(pages)("%s links to files that exist", (page) => {
    const text = readFileSync(join(ROOT, page), "utf8").replace(/```[\s\S]*?```/g, "");
    const links = [...text.matchAll(/\]\(([^)#\s]+)[^)]*\)/g)].map((match) => match[1]!);
    const local = links.filter((link) => !/^[a-z]+:/.test(link));
    expect(local.filter((link) => !existsSync(resolve(ROOT, dirname(page), link)))).toEqual([]);
  });

  it("names no source file that is gone", () => {
    const text = readFileSync(join(ROOT, "docs/architecture.md"), "utf8");
    const named = [...text.matchAll(/`((?:[a-z-]+\/)+[a-z-]+\.ts)`/g)].map((match) => match[1]!);
    expect(named.length).toBeGreaterThan(10);
    const gone = named.filter((path) => !existsSync(join(ROOT, "src", path)) && !existsSync(join(ROOT, path)));
    expect(gone).toEqual([]);
  });
});
