import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { access, constants, stat } from "node:fs/promises";
import { basename, extname, isAbsolute, resolve } from "node:path";
import { messageOf, ScytheError } from "../errors.ts";
import { hasScheme } from "../spec/file-ref.ts";
import type { Storage } from "../storage/storage.ts";

/** An input file that a run must keep: its content once, however many specs share it. */
export interface PlannedArtifact {
  field: string;
  file: string;
  source: string;
  sha256: string;
}

export type Resolution = { ok: true; reference: string } | { ok: false; rule: string };

/** Where a planned artifact will lie within the run, as the reference that specs get. */
type ReferenceOf = (field: string, file: string) => string;

/** Finds the local files that specs refer to, before anything is written. */
export class ArtifactPlan {
  readonly artifacts: PlannedArtifact[] = [];
  readonly #folder: string;
  readonly #referenceOf: ReferenceOf;
  readonly #known = new Map<string, Resolution>();
  readonly #names = new Set<string>();
  /** Per field: content → file. */
  readonly #contents = new Map<string, string>();

  /** @param folder what relative paths are relative to */
  constructor(folder: string, referenceOf: ReferenceOf) {
    this.#folder = folder;
    this.#referenceOf = referenceOf;
  }

  /** The reference that a spec keeps: an URI as it is, a local file as the artifact it becomes. */
  resolve(field: string, reference: string): Resolution | Promise<Resolution> {
    return this.#known.get(`${field}\0${reference}`) ?? this.#resolve(field, reference);
  }

  async #resolve(field: string, reference: string): Promise<Resolution> {
    const result = await this.#look(field, reference);
    this.#known.set(`${field}\0${reference}`, result);
    return result;
  }

  async #look(field: string, reference: string): Promise<Resolution> {
    if (hasScheme(reference)) {
      if (/^(https?|s3):\/\//i.test(reference)) return { ok: true, reference };
      return { ok: false, rule: "must be a local path, an http(s):// URL or an s3:// URI" };
    }
    const source = isAbsolute(reference) ? reference : resolve(this.#folder, reference);
    const problem = await whyUnreadable(source);
    if (problem) return { ok: false, rule: problem };
    const sha256 = await hashFile(source);
    return { ok: true, reference: this.#referenceOf(field, this.#plan(field, source, sha256)) };
  }

  #plan(field: string, source: string, sha256: string): string {
    const same = this.#contents.get(`${field}\0${sha256}`);
    if (same !== undefined) return same;
    const plain = safeFileName(basename(source));
    const file = [plain, withHash(plain, sha256)].find((name) => !this.#names.has(slot(field, name)));
    if (!file) throw new ScytheError("internal", `Two files named ${plain} share the first 8 digits of their SHA-256`);
    this.#names.add(slot(field, file));
    this.#contents.set(`${field}\0${sha256}`, file);
    this.artifacts.push({ field, file, source, sha256 });
    return file;
  }
}

/** Names that differ only in case or in Unicode form are one file on some systems. */
function slot(field: string, file: string): string {
  return `${field}\0${file.toLowerCase().normalize("NFC")}`;
}

/** Stores the planned files, some at a time. @throws ScytheError `conflict` when one changed since it was looked at */
export async function storeArtifacts(
  storage: Storage,
  artifacts: readonly PlannedArtifact[],
  keyOf: (artifact: PlannedArtifact) => string,
): Promise<void> {
  const queue = [...artifacts];
  const workers = Array.from({ length: Math.min(8, queue.length) }, async () => {
    for (let next = queue.pop(); next; next = queue.pop()) {
      await storage.putFile(keyOf(next), next.source);
      if ((await hashFile(next.source)) !== next.sha256) {
        throw new ScytheError("conflict", `${next.source} changed while it was being stored`, {
          hint: "Allocate again once nothing writes to the file.",
        });
      }
    }
  });
  await Promise.all(workers);
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
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest("hex");
}

/** Letters, digits, `_ - .` only: keys are put into URIs that Python Scythe never decodes. */
export function safeFileName(name: string): string {
  const safe = name.normalize("NFC").replace(/[^A-Za-z0-9_.-]/g, "_");
  const cut = safe.length <= 128 ? safe : `${safe.slice(0, 128 - extname(safe).length)}${extname(safe)}`.slice(0, 128);
  return /^\.*$/.test(cut) ? `file${cut}` : cut;
}

function withHash(name: string, sha256: string): string {
  const extension = extname(name);
  return `${name.slice(0, name.length - extension.length)}-${sha256.slice(0, 8)}${extension}`;
}
