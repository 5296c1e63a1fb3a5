import { fileURLToPath } from "node:url";
import { ScytheError } from "./errors.ts";
import { localStorage } from "./storage/local/local.ts";
import type { Storage } from "./storage/storage.ts";

/**
 * The storage that a setting names: a folder (a path or `file://…`) or `s3://bucket/prefix`. Nothing is asked or written.
 * @throws ScytheError `invalid_input` for any other scheme
 */
export async function openStorage(where: string): Promise<Storage> {
  if (where.trim() === "") {
    throw new ScytheError("invalid_input", "A storage must be named", {
      hint: "Give a folder of this machine, or s3://bucket/prefix.",
    });
  }
  if (where.startsWith("file://")) return localStorage(fileURLToPath(where));
  if (where.startsWith("s3://")) {
    const { parseS3Uri, s3Storage } = await import("./storage/s3/s3.ts");
    return s3Storage(parseS3Uri(where));
  }
  if (!/^[A-Za-z][A-Za-z0-9+.-]+:\/\//.test(where)) return localStorage(where);
  throw new ScytheError("invalid_input", `Cannot store runs at ${where}`, {
    hint: "Give a folder of this machine, or s3://bucket/prefix.",
  });
}
