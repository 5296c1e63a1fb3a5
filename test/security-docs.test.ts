import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const page = readFileSync(join(ROOT, "docs/security.md"), "utf8");
const attacks = page.split("\n## ").flatMap((part) => {
  const rows = part.split("\n").filter((line) => line.startsWith("| "));
  return rows[0]?.startsWith("| attack") ? rows.slice(1).map((row) => row.split(" | ")) : [];
});

describe("docs/security.md", () => {
  it("has its attacks", () => expect(attacks.length).toBeGreaterThan(25));

  it.each(attacks.map((cells) => [cells[0]!.replace(/^\| /, ""), cells.at(-1)!]))(
    "%s: the test is there",
    (_attack, last) => {
      const [, file, title] = /^`([\w./-]+\.test\.ts)` "(.+)" \|$/.exec(last) ?? [];
      expect(file, last).toBeDefined();
      expect(existsSync(join(ROOT, file!)), file).toBe(true);
      const source = readFileSync(join(ROOT, file!), "utf8");
      expect(
        [`"${title}"`, `'${title}'`, `\`${title}\``].some((quoted) => source.includes(quoted)),
        title,
      ).toBe(true);
    },
  );
});
