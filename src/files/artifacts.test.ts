import { createHash } from "node:crypto";
import { chmod, mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { allocate, experimentOf, keysOf, scratchFolder, specsOf } from "../allocate/allocation.testsuite.ts";
import { fileRef } from "../schema/file-ref.ts";
import { memoryStorage } from "../storage/memory.ts";
import { getText, type Storage } from "../storage/storage.ts";
import { ArtifactPlan, hashFile, safeFileName, storeArtifacts } from "./artifacts.ts";

const scratch = scratchFolder();
const study = experimentOf(
  z.object({ weather: fileRef(), extra: z.array(fileRef()).optional(), maybe: fileRef().optional() }),
);
const file = async (path: string, content = path) => {
  const full = join(scratch.path, path);
  await mkdir(join(full, ".."), { recursive: true });
  await writeFile(full, content);
  return full;
};
const sha256 = (content: string) => createHash("sha256").update(content).digest("hex");
/** Artifacts in storage: path within the run → content. */
const artifactsIn = async (storage: Storage) => {
  const found: Record<string, string> = {};
  for (const key of await keysOf(storage)) {
    const at = key.indexOf("/artifacts/");
    if (at >= 0) found[key.slice(at + 1)] = (await getText(storage, key))!.text;
  }
  return found;
};

describe("input files of a run", () => {
  it("are stored once by content, and specs refer to them there", async () => {
    const storage = memoryStorage();
    const [a, twin, b] = [
      await file("a/w.epw", "sunny"),
      await file("b/copy.epw", "sunny"),
      await file("b/rain.epw", "rainy"),
    ];
    const run = await allocate(
      storage,
      [{ weather: a }, { weather: twin }, { weather: b, extra: [a, b, a], maybe: a }],
      {},
      study,
    );
    expect(await artifactsIn(storage)).toEqual({
      "artifacts/weather/w.epw": "sunny",
      "artifacts/weather/rain.epw": "rainy",
      "artifacts/extra/w.epw": "sunny",
      "artifacts/extra/rain.epw": "rainy",
      "artifacts/maybe/w.epw": "sunny",
    });
    const uri = (path: string) => storage.uriOf(run.layout.key(`artifacts/${path}`));
    expect(await specsOf(storage, run, study)).toEqual([
      { sort_index: 0, weather: uri("weather/w.epw") },
      { sort_index: 1, weather: uri("weather/w.epw") },
      {
        sort_index: 2,
        weather: uri("weather/rain.epw"),
        extra: [uri("extra/w.epw"), uri("extra/rain.epw"), uri("extra/w.epw")],
        maybe: uri("maybe/w.epw"),
      },
    ]);
    const listed = parse((await getText(storage, run.layout.inputArtifacts))!.text);
    expect(listed.files.weather).toEqual([uri("weather/w.epw"), uri("weather/rain.epw")]);
    expect(listed.sha256[uri("weather/w.epw")]).toBe(sha256("sunny"));
  });

  it("of one name and different content are both kept", async () => {
    const storage = memoryStorage();
    const paths = await Promise.all(["x", "y", "z"].map((own) => file(`${own}/same.epw`, own)));
    const upper = await file("u/SAME.epw", "upper");
    await allocate(
      storage,
      [...paths, upper].map((weather) => ({ weather })),
      {},
      study,
    );
    const stored = await artifactsIn(storage);
    expect(Object.values(stored).sort()).toEqual(["upper", "x", "y", "z"]);
    const names = Object.keys(stored).map((path) => path.slice("artifacts/weather/".length));
    expect(names).toContain("same.epw");
    expect(names).toContain(`same-${sha256("y").slice(0, 8)}.epw`);
    expect(new Set(names.map((name) => name.toLowerCase())).size).toBe(4); // on systems that ignore case, too
  });

  it("may be empty, hidden, without an extension, or named in any script", async () => {
    const storage = memoryStorage();
    const names = ["empty.epw", ".hidden", "Makefile", "Zürich #1 (50%).epw", "天気.epw", "lock.lock"];
    const paths = await Promise.all(names.map((own) => file(`names/${own}`, own === "empty.epw" ? "" : own)));
    await allocate(
      storage,
      paths.map((weather) => ({ weather })),
      {},
      study,
    );
    const stored = await artifactsIn(storage);
    expect(Object.values(stored).sort()).toEqual(["", ...names.slice(1)].sort());
    for (const path of Object.keys(stored)) expect(path).toMatch(/^artifacts\/weather\/[A-Za-z0-9_.-]+$/);
  });

  it("elsewhere are left there", async () => {
    const storage = memoryStorage();
    const uris = ["https://example.org/w.epw", "s3://bucket/w.epw"];
    const run = await allocate(
      storage,
      uris.map((weather) => ({ weather })),
      {},
      study,
    );
    expect((await specsOf(storage, run, study)).map(({ weather }) => weather)).toEqual(uris);
    expect(await artifactsIn(storage)).toEqual({});
  });

  it("are found beside the spec file that names them", async () => {
    const storage = memoryStorage();
    await file("project/weather/w.epw", "beside");
    const specs = await file("project/specs.csv", "weather\nweather/w.epw\n./weather/../weather/w.epw\n");
    await allocate(storage, specs, {}, study);
    expect(await artifactsIn(storage)).toEqual({ "artifacts/weather/w.epw": "beside" });
  });

  it("are absolute in the spec of a single-spec run", async () => {
    const storage = memoryStorage();
    const weather = await file("single.epw");
    const run = await allocate(storage, { weather, extra: [weather] }, {}, study);
    const spec = parse((await getText(storage, run.layout.workflowSpec))!.text);
    expect(spec.weather).toBe(storage.uriOf(run.layout.key("artifacts/weather/single.epw")));
    expect(spec.extra).toEqual([storage.uriOf(run.layout.key("artifacts/extra/single.epw"))]);
  });
});

describe("files that cannot be had", () => {
  const refusal = async (weather: string) => {
    const storage = memoryStorage();
    const good = await file("good.epw");
    const error = await allocate(storage, [{ weather: good }, { weather }], {}, study).catch((e: Error) => e);
    expect(await keysOf(storage)).toEqual([]);
    return (error as Error).message;
  };

  it("are refused by name before anything is written", async () => {
    await mkdir(join(scratch.path, "folder"), { recursive: true });
    await symlink(join(scratch.path, "nowhere"), join(scratch.path, "dangling"));
    const below = join(await file("plain.epw"), "below");
    for (const [path, rule] of [
      [join(scratch.path, "missing.epw"), "no such file"],
      [join(scratch.path, "folder"), "is a directory, not a file"],
      [join(scratch.path, "dangling"), "no such file"],
      [below, "no such file"],
      ["/dev/null", "is not a regular file"],
      ["ftp://example.org/w.epw", "must be a local path, an http(s):// URL, an s3:// URI, or the file:// URI"],
    ] as const) {
      const message = await refusal(path);
      expect(message).toContain(`1 of 2 specs is invalid`);
      expect(message).toContain(`spec 1, weather = `);
      expect(message).toContain(rule);
    }
  });

  it.skipIf(process.getuid?.() === 0)("because this user may not read them, say so", async () => {
    const path = await file("secret.epw");
    await chmod(path, 0);
    expect(await refusal(path)).toContain("may not be read by this user");
  });

  it("because they change while they are stored, cost the run, which leaves nothing", async () => {
    const weather = await file("changing.epw", "before");
    const inner = memoryStorage();
    const storage: Storage = {
      ...inner,
      putFile: async (key, path, options) => {
        const result = await inner.putFile(key, path, options);
        if (path === weather) await writeFile(weather, "after");
        return result;
      },
    };
    await expect(allocate(storage, [{ weather }], {}, study)).rejects.toMatchObject({
      code: "conflict",
      message: expect.stringContaining("changing.epw changed while it was being stored"),
    });
    expect(await keysOf(inner)).toEqual(["study/v1.0.0.claim"]);
  });
});

describe("ArtifactPlan", () => {
  it("looks at a file once, however many specs name it, at once or one after the other", async () => {
    const path = await file("once.epw");
    const plan = new ArtifactPlan(scratch.path, (field, name) => `${field}:${name}`);
    const resolutions = await Promise.all(Array.from({ length: 20 }, () => plan.resolve("weather", "once.epw")));
    expect(new Set(resolutions.map((r) => JSON.stringify(r)))).toEqual(
      new Set(['{"ok":true,"reference":"weather:once.epw"}']),
    );
    expect(plan.artifacts).toEqual([{ field: "weather", file: "once.epw", source: path, sha256: sha256("once.epw") }]);
  });

  it("stores many", async () => {
    const storage = memoryStorage();
    const plan = new ArtifactPlan(scratch.path, (_, name) => name);
    for (let i = 0; i < 40; i++) await plan.resolve("f", await file(`many/${i}.txt`));
    await storeArtifacts(storage, plan.artifacts, ({ file: name }) => `f/${name}`);
    expect(await keysOf(storage)).toHaveLength(40);
    expect(await hashFile(join(scratch.path, "many/7.txt"))).toBe(sha256("many/7.txt"));
  });
});

it("safe file names are safe for any name", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", minLength: 1, maxLength: 300 }), (name) => {
      const safe = safeFileName(name);
      expect(safe).toMatch(/^[A-Za-z0-9_.-]{1,132}$/);
      expect(safe).not.toMatch(/^\.+$/);
      expect(safeFileName(safe)).toBe(safe);
    }),
  );
  expect(safeFileName("plain-1.epw")).toBe("plain-1.epw");
  expect(safeFileName(`${"x".repeat(300)}.epw`)).toMatch(/^x{124}\.epw$/);
});
