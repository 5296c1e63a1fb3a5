import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, it, vi } from "vitest";
import { loadConfig } from "./config.ts";
import { assertTrusted } from "./config-trust.ts";

const root = mkdtempSync(join(tmpdir(), "scythe-trust-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
afterEach(() => vi.unstubAllEnvs());
let made = 0;

function configIn(...folders: string[]): string {
  const folder = join(root, `p${made++}`, ...folders);
  mkdirSync(folder, { recursive: true });
  const path = join(folder, "scythe.config.mjs");
  writeFileSync(path, "globalThis.loadedByMistake = true; export default { experiments: [] };");
  return path;
}

const refused = (problem: RegExp) =>
  expect.objectContaining({ code: "invalid_definition", message: expect.stringMatching(problem) });

describe.skipIf(process.platform === "win32")("a config is loaded when it is the user's own", () => {
  it("in a folder that others may not write to", () => expect(assertTrusted(configIn())).toBeUndefined());

  it("not when it belongs to somebody else", async () => {
    const path = configIn();
    const asRoot = process.getuid!() === 0;
    if (asRoot) chownSync(path, 4242, 4242);
    const check = () => assertTrusted(path, asRoot ? 0 : process.getuid!() + 1);
    expect(check).toThrow(refused(/belongs to another user/));
    vi.stubEnv("SCYTHE_TRUST_CONFIG", `/elsewhere:${path}`);
    expect(check).not.toThrow();
  });

  it("not when everybody may write to it, or to its folder, a shared temporary one even", async () => {
    const open = configIn();
    chmodSync(open, 0o666);
    await expect(loadConfig(open)).rejects.toEqual(refused(/everybody may write to it/));
    const shared = configIn("shared");
    chmodSync(join(shared, ".."), 0o1777);
    await expect(loadConfig(join(shared, ".."))).rejects.toMatchObject({
      hint: expect.stringMatching(/chmod o-w .*shared/),
    });
    expect(globalThis).not.toHaveProperty("loadedByMistake");
  });

  it("not when everybody may put another folder in its place", () => {
    const path = configIn("open", "mine");
    chmodSync(join(path, "..", ".."), 0o777);
    expect(() => assertTrusted(path)).toThrow(refused(/folder .*open$/));
    chmodSync(join(path, "..", ".."), 0o1777); // there a folder stays its owner's
    expect(assertTrusted(path)).toBeUndefined();
  });

  it("not through a link from a folder of one's own", () => {
    const path = configIn("shared");
    chmodSync(join(path, ".."), 0o777);
    const link = join(root, "scythe.config.mjs");
    symlinkSync(path, link);
    expect(() => assertTrusted(link)).toThrow(refused(/shared/));
  });
});
