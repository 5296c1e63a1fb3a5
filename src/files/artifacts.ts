import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { access, constants, stat } from "node:fs/promises";
import { basename, extname, isAbsolute, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import pMap from "p-map";
import { isScytheError, messageOf, ScytheError } from "../errors.ts";
import { hasScheme } from "../schema/file-ref.ts";
import { isPlainName } from "../schema/plain-name.ts";
import type { Storage } from "../storage/storage.ts";
import { type Confinement, whyForeignBucket, whyOutside, whyOutsideUri } from "./confinement.ts";

/** An input file that a run must store: its content once, however many specs use it. */
export interface PlannedArtifact {
  field: string;
  file: string;
  source: string;
  sha256: string;
  /** The original file name, where the file is stored under another. */
  name?: string;
}

/** An input file that the run already has. */
export interface KeptArtifact {
  field: string;
  file: string;
  /** Undefined when not recorded. */
  sha256: string | undefined;
  /** The original file name, where the file is stored under another. */
  name?: string | undefined;
}

export type Resolution = { ok: true; reference: string } | { ok: false; rule: string };

/** The reference that specs get for a planned artifact. */
type ReferenceOf = (field: string, file: string) => string;

/** Finds the local files that specs refer to, before anything is stored. */
export class ArtifactPlan {
  readonly artifacts: PlannedArtifact[] = [];
  readonly #folder: string;
  readonly #referenceOf: ReferenceOf;
  readonly #copyFrom: ((uri: string) => Promise<string>) | undefined;
  readonly #confined: Confinement | undefined;
  readonly #known = new Map<string, Resolution>();
  readonly #names = new Set<string>();
  /** Per field: content → file. */
  readonly #contents = new Map<string, string>();

  /**
   * @param folder base of relative paths
   * @param copyFrom downloads a remote file, so that the run stores a copy; without it URIs stay as they are
   * @param kept files whose names are taken and whose contents are not stored again
   * @param confined what may be referred to; anything by default
   */
  constructor(
    folder: string,
    referenceOf: ReferenceOf,
    copyFrom?: (uri: string) => Promise<string>,
    kept: readonly KeptArtifact[] = [],
    confined?: Confinement,
  ) {
    this.#confined = confined;
    this.#folder = folder;
    this.#referenceOf = referenceOf;
    this.#copyFrom = copyFrom;
    for (const { field, file, sha256 } of kept) {
      this.#names.add(slot(field, file));
      if (sha256 !== undefined) this.#contents.set(`${field}\0${sha256}`, file);
    }
  }

  /** The reference that a spec gets: a URI stays as it is, a local file becomes an artifact. */
  resolve(field: string, reference: string): Resolution | Promise<Resolution> {
    return this.#known.get(`${field}\0${reference}`) ?? this.#resolve(field, reference);
  }

  async #resolve(field: string, reference: string): Promise<Resolution> {
    const result = await this.#inspect(field, reference);
    this.#known.set(`${field}\0${reference}`, result);
    return result;
  }

  async #inspect(field: string, reference: string): Promise<Resolution> {
    if (/^file:/i.test(reference)) return this.#resolveFileUri(field, reference);
    if (hasScheme(reference)) {
      if (!/^(https?|s3):\/\//i.test(reference)) {
        return {
          ok: false,
          rule: "must be a local path, an http(s):// URL, an s3:// URI, or the file:// URI of a file of this machine",
        };
      }
      const foreign = this.#confined && whyForeignBucket(this.#confined, reference);
      if (foreign) return { ok: false, rule: foreign };
      return this.#copyFrom ? this.#resolveRemote(field, reference, this.#copyFrom) : { ok: true, reference };
    }
    const source = isAbsolute(reference) ? reference : resolve(this.#folder, reference);
    const problem = (await whyUnreadable(source)) ?? (this.#confined && (await whyOutside(this.#confined, source)));
    if (problem) return { ok: false, rule: problem };
    return this.#keep(field, source);
  }

  /** A local file given as a URI, as in result tables: the run stores a copy. */
  async #resolveFileUri(field: string, uri: string): Promise<Resolution> {
    let source: string;
    try {
      source = fileURLToPath(uri);
    } catch (error) {
      return { ok: false, rule: `is not a file of this machine: ${messageOf(error)}` };
    }
    const problem =
      (await whyUnreadable(source)) ?? (this.#confined && (await whyOutsideUri(this.#confined, uri, source)));
    return problem ? { ok: false, rule: problem } : this.#keep(field, source);
  }

  async #keep(field: string, source: string): Promise<Resolution> {
    const sha256 = await hashFile(source);
    return { ok: true, reference: this.#referenceOf(field, this.#plan(field, source, sha256)) };
  }

  async #resolveRemote(field: string, uri: string, copyFrom: (uri: string) => Promise<string>): Promise<Resolution> {
    try {
      const source = await copyFrom(uri);
      return { ok: true, reference: this.#referenceOf(field, this.#plan(field, source, await hashFile(source))) };
    } catch (error) {
      return { ok: false, rule: messageOf(error) };
    }
  }

  #plan(field: string, source: string, sha256: string): string {
    const same = this.#contents.get(`${field}\0${sha256}`);
    if (same !== undefined) return same;
    const plain = safeFileName(basename(source));
    const file = [plain, withHash(plain, sha256)].find((name) => !this.#names.has(slot(field, name)));
    if (!file) throw new ScytheError("internal", `Two files named ${plain} share the first 8 digits of their SHA-256`);
    this.#names.add(slot(field, file));
    this.#contents.set(`${field}\0${sha256}`, file);
    const name = basename(source);
    this.artifacts.push({ field, file, source, sha256, ...(name !== plain && { name }) });
    return file;
  }
}

/** Names that differ only in case or Unicode form are equal on some file systems. */
function slot(field: string, file: string): string {
  return `${field}\0${file.toLowerCase().normalize("NFC")}`;
}

export interface StoreOptions {
  /** Contents that earlier runs in this storage have, SHA-256 → key: these are copied within the storage. */
  known?: ReadonlyMap<string, string>;
  onProgress?: (stored: number, total: number) => void;
}

const UPLOADS = 8;

/**
 * Stores the planned files concurrently, each content once.
 * @throws ScytheError `conflict` when a file changed since it was hashed
 */
export async function storeArtifacts(
  storage: Storage,
  artifacts: readonly PlannedArtifact[],
  keyOf: (artifact: PlannedArtifact) => string,
  { known = new Map(), onProgress }: StoreOptions = {},
): Promise<void> {
  let stored = 0;
  const store = async (artifact: PlannedArtifact) => {
    const earlier = known.get(artifact.sha256);
    const copied = earlier !== undefined && (await copyEarlier(storage, earlier, keyOf(artifact)));
    if (!copied) await upload(storage, artifact, keyOf(artifact));
    onProgress?.(++stored, artifacts.length);
  };
  await pMap(artifacts, store, { concurrency: UPLOADS });
}

/** False when the earlier run no longer exists. */
async function copyEarlier(storage: Storage, from: string, to: string): Promise<boolean> {
  try {
    await storage.copy(from, to);
    return true;
  } catch (error) {
    if (isScytheError(error) && error.code === "not_found") return false;
    throw error;
  }
}

async function upload(storage: Storage, artifact: PlannedArtifact, key: string): Promise<void> {
  await storage.putFile(key, artifact.source);
  if ((await hashFile(artifact.source)) === artifact.sha256) return;
  throw new ScytheError("conflict", `${artifact.source} changed while it was being stored`, {
    hint: "Allocate again when nothing writes to the file any more.",
  });
}

async function whyUnreadable(path: string): Promise<string | undefined> {
  try {
    const info = await stat(path);
    if (info.isDirectory()) return `is a directory, not a file (${path})`;
    if (!info.isFile()) return `is not a regular file (${path})`;
    await access(path, constants.R_OK);
    return undefined;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "ENOENT" || code === "ENOTDIR") return `no such file (${path})`;
    if (code === "EACCES" || code === "EPERM") return `may not be read by this user (${path})`;
    return `cannot be read: ${messageOf(error)}`;
  }
}

/** SHA-256 of a file, in hex. */
export async function hashFile(path: string): Promise<string> {
  return (await fingerprint(path)).sha256;
}

/** Size in bytes and SHA-256 of a file, read once. */
export async function fingerprint(path: string): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const chunk of createReadStream(path)) {
    hash.update(chunk as Buffer);
    bytes += (chunk as Buffer).length;
  }
  return { bytes, sha256: hash.digest("hex") };
}

/** Reduces a name to letters, digits and `_ - .`: keys become part of URIs that Python Scythe never decodes. */
export function safeFileName(name: string): string {
  const safe = name.normalize("NFC").replace(/[^A-Za-z0-9_.-]/g, "_");
  const cut = safe.length <= 128 ? safe : `${safe.slice(0, 128 - extname(safe).length)}${extname(safe)}`.slice(0, 128);
  return isPlainName(cut) ? cut : `file-${cut.slice(-123)}`; // other names could have a special meaning to shells or to this program
}

function withHash(name: string, sha256: string): string {
  const extension = extname(name);
  return `${name.slice(0, name.length - extension.length)}-${sha256.slice(0, 8)}${extension}`;
}
