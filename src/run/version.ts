import { ScytheError } from "../errors.ts";
import type { Storage } from "../storage/storage.ts";
import { versionClaimKey } from "./layout.ts";

/** Which part of the latest version is raised, or none. */
export type VersionBump = "bumpmajor" | "bumpminor" | "bumppatch" | "keep";
/** A bump of the latest version, or an explicit `v1.2.3`. */
export type VersionRequest = VersionBump | (string & {});

export interface Version {
  major: number;
  minor: number;
  patch: number;
}

/**
 * Reads a version as Python Scythe does: `v1`, `v1.2`, `v1.2.3`, also with dashes; missing parts are 0.
 * Undefined for anything else.
 */
export function parseVersion(text: string): Version | undefined {
  const match = /^v(\d{1,9})(?:([.-])(\d{1,9})(?:\2(\d{1,9}))?)?$/.exec(text);
  if (!match) return undefined;
  return { major: Number(match[1]), minor: Number(match[3] ?? 0), patch: Number(match[4] ?? 0) };
}

export function formatVersion({ major, minor, patch }: Version): string {
  return `v${major}.${minor}.${patch}`;
}

export function compareVersions(a: Version, b: Version): number {
  return a.major - b.major || a.minor - b.minor || a.patch - b.patch;
}

/** The highest of the names that are versions, in any spelling. */
export function latestOf(names: readonly string[]): string | undefined {
  return sortVersions(names).at(-1);
}

/** The names that are versions, lowest first; other names are dropped. */
export function sortVersions(names: readonly string[]): string[] {
  return names
    .flatMap((name) => {
      const version = parseVersion(name);
      return version ? [{ name, version }] : [];
    })
    .sort((a, b) => compareVersions(a.version, b.version))
    .map(({ name }) => name);
}

export function bump(version: Version, how: Exclude<VersionBump, "keep">): Version {
  if (how === "bumpmajor") return { major: version.major + 1, minor: 0, patch: 0 };
  if (how === "bumpminor") return { ...version, minor: version.minor + 1, patch: 0 };
  return { ...version, patch: version.patch + 1 };
}

const BUMPS: readonly string[] = ["bumpmajor", "bumpminor", "bumppatch"];

/**
 * Decides the version of an allocation; an experiment's first is v1.0.0. A bumped version is claimed by creating an
 * object next to the version folders, so that of two concurrent bumps the second bumps again.
 * @param after the version to bump or keep, instead of the latest
 * @throws ScytheError `invalid_input` for text that is neither a bump nor a version
 */
export async function resolveVersion(
  storage: Storage,
  name: string,
  request: VersionRequest,
  after?: string,
): Promise<string> {
  const existing = await storage.listFolders(`${name}/`);
  const latest = after ?? latestOf(existing);
  if (!BUMPS.includes(request)) return request === "keep" ? (latest ?? "v1.0.0") : explicit(request, existing);
  const taken = existing.flatMap((folder) => parseVersion(folder) ?? []);
  let version = latest ? bump(parseVersion(latest)!, request as "bumpmajor") : { major: 1, minor: 0, patch: 0 };
  for (;;) {
    while (taken.some((other) => compareVersions(other, version) === 0))
      version = bump(version, request as "bumpmajor");
    const claim = JSON.stringify({ version: formatVersion(version), claimed_at: new Date().toISOString() });
    const { written } = await storage.put(versionClaimKey(name, formatVersion(version)), `${claim}\n`, {
      ifAbsent: true,
    });
    if (written) return formatVersion(version);
    version = bump(version, request as "bumpmajor");
  }
}

/** An explicit version keeps the spelling of an existing one (`v1` for `v1.0.0`). */
function explicit(request: string, existing: readonly string[]): string {
  const version = parseVersion(request.startsWith("v") ? request : `v${request}`);
  if (!version) {
    throw new ScytheError("invalid_input", `${JSON.stringify(request)} is not a version`, {
      hint: "Use bumpmajor, bumpminor, bumppatch, keep, or a version such as v1.2.0.",
    });
  }
  const same = existing.find((name) => {
    const other = parseVersion(name);
    return other !== undefined && compareVersions(other, version) === 0;
  });
  return same ?? formatVersion(version);
}
