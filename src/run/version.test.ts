import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { memoryStorage } from "../storage/memory.ts";
import {
  bump,
  compareVersions,
  formatVersion,
  latestOf,
  parseVersion,
  resolveVersion,
  sortVersions,
  type VersionBump,
} from "./version.ts";

const number = fc.nat(999_999_999);
const versions = fc.record({ major: number, minor: number, patch: number });
const bumps = fc.constantFrom("bumpmajor", "bumpminor", "bumppatch");

describe("versions", () => {
  it("read back as they were written, with dots or dashes", () => {
    fc.assert(
      fc.property(versions, (version) => {
        expect(parseVersion(formatVersion(version))).toEqual(version);
        expect(parseVersion(formatVersion(version).replaceAll(".", "-"))).toEqual(version);
      }),
    );
  });

  it("read short forms as Python Scythe does, and nothing else", () => {
    expect(parseVersion("v2")).toEqual({ major: 2, minor: 0, patch: 0 });
    expect(parseVersion("v2.1")).toEqual({ major: 2, minor: 1, patch: 0 });
    for (const text of ["", "1.0.0", "v", "v1.", "v1.2.3.4", "v1.2-3", "v-1", "v1.0.0-rc1", "V1", "v1.0.0 ", " v1"]) {
      expect(parseVersion(text), text).toBeUndefined();
    }
  });

  it("are ordered totally, by number and not by text", () => {
    fc.assert(
      fc.property(versions, versions, versions, (a, b, c) => {
        expect(Math.sign(compareVersions(a, b))).toBe(-Math.sign(compareVersions(b, a)) || 0);
        expect(compareVersions(a, b) === 0).toBe(formatVersion(a) === formatVersion(b));
        if (compareVersions(a, b) <= 0 && compareVersions(b, c) <= 0)
          expect(compareVersions(a, c)).toBeLessThanOrEqual(0);
      }),
    );
    expect(sortVersions(["v1.10.0", "notes", "v1.9.0", "v1-2", "v0.99.99"])).toEqual([
      "v0.99.99",
      "v1-2",
      "v1.9.0",
      "v1.10.0",
    ]);
    expect(latestOf(["v2.0.0", "v10.0.0", "tmp"])).toBe("v10.0.0");
    expect(latestOf([])).toBeUndefined();
  });

  it("rise with every bump, to the least that says so", () => {
    fc.assert(
      fc.property(versions, bumps, (version, how) => {
        expect(compareVersions(bump(version, how), version)).toBeGreaterThan(0);
      }),
    );
    const version = { major: 1, minor: 2, patch: 3 };
    expect(formatVersion(bump(version, "bumpmajor"))).toBe("v2.0.0");
    expect(formatVersion(bump(version, "bumpminor"))).toBe("v1.3.0");
    expect(formatVersion(bump(version, "bumppatch"))).toBe("v1.2.4");
  });
});

describe("resolveVersion", () => {
  const withVersions = async (...names: string[]) => {
    const storage = memoryStorage();
    for (const name of names) await storage.put(`study/${name}/2026-01-01_00-00-00/manifest.yml`, "x");
    return storage;
  };

  it("begins at v1.0.0, whatever is asked", async () => {
    for (const request of ["bumpmajor", "bumpminor", "bumppatch", "keep"]) {
      expect(await resolveVersion(await withVersions(), "study", request), request).toBe("v1.0.0");
    }
  });

  it("bumps the highest, in whatever spelling, and passes over what is none", async () => {
    const storage = await withVersions("v1.9.0", "v1-10-0", "notes");
    expect(await resolveVersion(storage, "study", "bumpminor")).toBe("v1.11.0");
    expect(await resolveVersion(storage, "study", "keep")).toBe("v1-10-0");
  });

  it("takes an explicit one, with or without its v, or the folder that means it", async () => {
    const storage = await withVersions("v2");
    expect(await resolveVersion(storage, "study", "v1.2.0")).toBe("v1.2.0");
    expect(await resolveVersion(storage, "study", "1.2")).toBe("v1.2.0");
    expect(await resolveVersion(storage, "study", "v2.0.0")).toBe("v2");
    for (const request of ["", "latest", "v1.x", "bump", "../v1"]) {
      await expect(resolveVersion(storage, "study", request), request).rejects.toMatchObject({ code: "invalid_input" });
    }
  });

  it("bumps another than the highest, to the next that is free", async () => {
    const storage = await withVersions("v1.0.0", "v1-0-1", "v2.0.0");
    expect(await resolveVersion(storage, "study", "bumppatch", "v1.0.0")).toBe("v1.0.2");
    expect(await resolveVersion(storage, "study", "bumppatch", "v1.0.0")).toBe("v1.0.3"); // v1.0.2 is claimed by now
    expect(await resolveVersion(storage, "study", "bumpminor", "v1.0.0")).toBe("v1.1.0");
    expect(await resolveVersion(storage, "study", "bumpmajor", "v1.0.0")).toBe("v3.0.0");
    expect(await resolveVersion(storage, "study", "keep", "v1.0.0")).toBe("v1.0.0");
  });

  it.each<VersionBump>(["bumpmajor", "bumpminor", "bumppatch"])(
    "gives concurrent %ss versions of their own",
    async (how) => {
      const storage = await withVersions("v1.0.0");
      const given = await Promise.all(Array.from({ length: 12 }, () => resolveVersion(storage, "study", how)));
      expect(new Set(given).size).toBe(12);
      expect(given).not.toContain("v1.0.0");
    },
  );

  it("claims without a folder, so that nothing but versions lies under an experiment", async () => {
    const storage = memoryStorage();
    await resolveVersion(storage, "study", "bumpmajor");
    expect(await storage.listFolders("study/")).toEqual([]);
  });
});
