import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { platform } from "./current.ts";
import { darwin } from "./darwin.ts";
import { linux } from "./linux.ts";
import { platformSuite } from "./platform.testsuite.ts";
import { unix } from "./unix.ts";
import { windows } from "./windows.ts";

const here = process.platform;
const byPs = { starts: true, families: true, strays: false, memory: true };

if (here === "linux") platformSuite("linux", linux, { starts: true, families: true, strays: true, memory: true });
if (here === "darwin") platformSuite("darwin", darwin, byPs);
if (here !== "win32") platformSuite("unix, by ps alone", unix, byPs);
// what it does by Node's own API alone holds everywhere
platformSuite("windows", windows, { starts: false, families: false, strays: false, memory: false });

const SRC = fileURLToPath(new URL("..", import.meta.url));
const sources = (readdirSync(SRC, { recursive: true }) as string[])
  .map((path) => path.replaceAll("\\", "/"))
  .filter((path) => path.endsWith(".ts") && !/\.(test|testsuite|test-d|hatchet)\.ts$/.test(path))
  .map((path) => ({ path, text: readFileSync(join(SRC, path), "utf8") }));

describe("a word to be typed", () => {
  it.each([
    ["s3://bucket/a", "s3://bucket/a", "s3://bucket/a"],
    ["C:\\data\\runs", "'C:\\data\\runs'", "C:\\data\\runs"],
    ["C:\\my data", "'C:\\my data'", '"C:\\my data"'],
    ["it's", "'it'\\''s'", '"it\'s"'],
    ['say "hi"', "'say \"hi\"'", '"say \\"hi\\""'],
    ["", "''", '""'],
  ])("%j is quoted as its shells want it", (text, byUnix, byWindows) => {
    expect(unix.shellWord(text)).toBe(byUnix);
    expect(windows.shellWord(text)).toBe(byWindows);
  });

  it.runIf(here !== "win32")("is read by the shell as it was", () => {
    for (const text of ["a b", "it's", 'say "hi"', "$HOME `id` \\ *", "", "C:\\data"]) {
      expect(execFileSync("sh", ["-c", `printf %s ${unix.shellWord(text)}`], { encoding: "utf8" })).toBe(text);
    }
  });
});

describe("the platform", () => {
  it("is that of this process", () => {
    const names = { linux, darwin, win32: windows };
    expect(platform).toBe(here in names ? names[here as keyof typeof names] : unix);
  });

  it("is asked for in one place: no other source looks which system it runs on", () => {
    const asking = sources.filter(({ text }) => /process\.platform|["'`]\/proc\/|["'`]win32["'`]/.test(text));
    const elsewhere = asking.map(({ path }) => path).filter((path) => !path.startsWith("platform/"));
    expect(elsewhere).toEqual(["run/environment.ts"]); // a run's record names it
  });

  it("hides the window of whatever is started", () => {
    const starting = sources.filter(({ text }) =>
      /import \{[^}]*\b(fork|spawn|exec\w*)\b[^}]*\} from "node:child_process"/.test(text),
    );
    expect(starting.length).toBeGreaterThan(3);
    expect(starting.filter(({ text }) => !text.includes("...NO_WINDOW")).map(({ path }) => path)).toEqual([]);
  });
});
