import { fileURLToPath } from "node:url";
import { ScytheError } from "./errors.ts";
import { localStorage } from "./storage/local/local.ts";
import type { Storage } from "./storage/storage.ts";

/**
 * Opens the storage named by a setting: a folder (a path or `file://…`) or `s3://bucket/prefix`. Reads and writes
 * nothing yet.
 * @throws ScytheError `invalid_input` for any other scheme
 */
export async function openStorage(where: string): Promise<Storage> {
  if (where.trim() === "") {
    throw new ScytheError("invalid_input", "The storage has no name", {
      hint: "Give a local folder, or s3://bucket/prefix.",
    });
  }
  if (where.startsWith("file://")) return localStorage(fileURLToPath(where));
  if (where.startsWith("s3://")) {
    const { parseS3Uri, s3Storage } = await import("./storage/s3/s3.ts");
    return s3Storage(parseS3Uri(where));
  }
  if (!/^[A-Za-z][A-Za-z0-9+.-]+:\/\//.test(where)) return localStorage(where);
  throw new ScytheError("invalid_input", `Cannot store runs at ${where}`, {
    hint: "Give a local folder, or s3://bucket/prefix.",
  });
}
