import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { ScytheError } from "../errors.ts";
import type { Column } from "../schema/columns.ts";
import { readSpecFile } from "../spec-file/read.ts";
import { type ReadOptions, SpecReader, type SpecRecord } from "../spec-file/source.ts";
import { DesignSpecs } from "./design-specs.ts";

/**
 * Specs to allocate: an array, an iterable, an async iterable, a table file (a path or `file:` URL), the result of
 * `specsOf`, or one spec as a plain object.
 */
export type SpecsInput<S> = Iterable<S> | AsyncIterable<S> | string | URL | SpecReader | S;

export interface SpecSource {
  records: AsyncIterable<SpecRecord> | Iterable<SpecRecord>;
  /** The folder that relative file references start from. */
  folder: string;
  /** A single spec was given. */
  single: boolean;
  /** The specs come from flags or code and may refer to any file. A spec file may come from another person. */
  trusted: boolean;
  /** Path of the spec file; undefined when code gave the specs. */
  file?: string;
  /** What makes the specs, if a design does. */
  design?: DesignSpecs;
}

export function specSource(specs: unknown, columns: readonly Column[], options: ReadOptions = {}): SpecSource {
  const here = process.cwd();
  if (specs instanceof DesignSpecs) {
    const records = specs.read(columns, options);
    return { records, ...specs.place, single: false, design: specs };
  }
  if (specs instanceof SpecReader) {
    return { records: specs.read(columns, options), folder: here, single: false, trusted: false };
  }
  if (typeof specs === "string" || specs instanceof URL) {
    const path = resolve(specs instanceof URL ? fileURLToPath(specs) : specs);
    const records = readSpecFile(path, columns, options);
    return { records, folder: dirname(path), single: false, trusted: false, file: path };
  }
  if (typeof specs !== "object" || specs === null) {
    throw new ScytheError("invalid_input", `Specs cannot be ${specs === null ? "null" : `a ${typeof specs}`}`, {
      hint: "Give an array or (async) iterable of specs, the path of a spec file, or one spec.",
    });
  }
  if (Symbol.iterator in specs)
    return { records: numbered(specs as Iterable<unknown>), folder: here, single: false, trusted: true };
  if (Symbol.asyncIterator in specs) {
    return { records: numberedAsync(specs as AsyncIterable<unknown>), folder: here, single: false, trusted: true };
  }
  return { records: [{ at: "the spec", value: specs }], folder: here, single: true, trusted: true };
}

function* numbered(specs: Iterable<unknown>): Generator<SpecRecord> {
  let row = 0;
  for (const value of specs) yield { at: `spec ${row++}`, value };
}

async function* numberedAsync(specs: AsyncIterable<unknown>): AsyncGenerator<SpecRecord> {
  let row = 0;
  for await (const value of specs) yield { at: `spec ${row++}`, value };
}
