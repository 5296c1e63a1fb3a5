import { z } from "zod";

const FORMAT = "scythe-file";

/**
 * A file that a spec refers to or that a task produces.
 * In an input: a local path (relative to the config file, or to the spec file's folder), an `http(s)://` URL or an
 * `s3://` URI; `run` gets a local path. In an output: a file in `ctx.tempDir`, taken when the spec ends, or the URI of
 * a file stored elsewhere (`https://…`, `s3://…`), kept as it is.
 */
export function fileRef() {
  return z.stringFormat(FORMAT, isFileReference);
}

function isFileReference(value: string): boolean {
  return value.length > 0 && value.length <= 4096 && !value.includes("\0");
}

/** True for a schema made by {@link fileRef}, with or without a description. */
export function isFileRef(schema: z.core.$ZodType): boolean {
  const def = schema._zod.def as { type: string; format?: string };
  return def.type === "string" && def.format === FORMAT;
}

/** `https://…`, `s3://…`, `file://…`: anything with a scheme of two letters or more (one letter is a drive). */
export function hasScheme(reference: string): boolean {
  return /^[A-Za-z][A-Za-z0-9+.-]+:\/\//.test(reference);
}
