import { createHash, randomUUID } from "node:crypto";
import { createWriteStream, existsSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { extname, join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { messageOf, ScytheError } from "../errors.ts";
import type { Storage } from "../storage/storage.ts";

const LIMIT_MS = 120_000;

/**
 * Brings files that specs refer to into `folder`, each once: tasks that want the same one share its download, and a
 * half-brought file is never seen.
 */
export function fileFetcher(storage: Storage, folder: string): (uri: string) => Promise<string> {
  const coming = new Map<string, Promise<string>>();
  return (uri) => {
    let path = coming.get(uri);
    if (!path) {
      path = fetchOnce(storage, folder, uri);
      coming.set(uri, path);
      path.catch(() => coming.delete(uri));
    }
    return path;
  };
}

async function fetchOnce(storage: Storage, folder: string, uri: string): Promise<string> {
  const key = storage.keyOf(uri);
  if (key !== undefined && storage.localPath) return storage.localPath(key);
  const path = join(folder, createHash("sha256").update(uri).digest("hex").slice(0, 32) + safeExtension(uri));
  if (existsSync(path)) return path;
  await mkdir(folder, { recursive: true });
  if (key !== undefined) await storage.getFile(key, path);
  else if (/^https?:\/\//i.test(uri)) await download(uri, path);
  else throw new ScytheError("invalid_input", `Cannot fetch ${uri}: only http(s):// and this storage's own files`);
  return path;
}

async function download(uri: string, path: string): Promise<void> {
  const temp = `${path}.${randomUUID()}.part`;
  try {
    const response = await fetch(uri, { signal: AbortSignal.timeout(LIMIT_MS) });
    if (!response.ok || !response.body) throw new Error(`the server answered ${response.status}`);
    await pipeline(Readable.fromWeb(response.body as never), createWriteStream(temp));
    await rename(temp, path);
  } catch (error) {
    throw new ScytheError("invalid_input", `Could not fetch ${uri}: ${messageOf(error)}`, { cause: error });
  } finally {
    await rm(temp, { force: true });
  }
}

function safeExtension(uri: string): string {
  const extension = extname(new URL(uri).pathname);
  return /^\.[A-Za-z0-9]{1,12}$/.test(extension) ? extension : "";
}
