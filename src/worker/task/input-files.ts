import { copyFile, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import type { AnyExperiment } from "../../experiment/define.ts";
import type { Column } from "../../schema/columns.ts";

type Row = Record<string, unknown>;

/** Fetches a spec's input files to where its function finds them. */
export class InputFiles {
  readonly #fields: readonly string[];
  readonly #copy: boolean;
  readonly #fetchUri: (uri: string) => Promise<string>;
  readonly #present = new Set<string>();

  private constructor(fields: readonly string[], copy: boolean, fetchUri: (uri: string) => Promise<string>) {
    this.#fields = fields;
    this.#copy = copy;
    this.#fetchUri = fetchUri;
  }

  /** Undefined when the experiment's specs have no files to fetch: then they need not wait. */
  static of(experiment: AnyExperiment, fetchUri: (uri: string) => Promise<string>): InputFiles | undefined {
    const fields = (experiment.columns.input as Column[]).filter((column) => column.file).map((column) => column.name);
    if (fields.length === 0 || !experiment.autoFetch) return undefined;
    return new InputFiles(fields, experiment.files === "copied-to-tempdir", fetchUri);
  }

  /**
   * The input with local paths instead of references.
   * @throws Error naming the file that cannot be fetched
   */
  async bring(row: Row, tempDir: () => string): Promise<Row> {
    const input = { ...row };
    for (const field of this.#fields) {
      const value = row[field];
      if (typeof value === "string") input[field] = await this.#one(value, field, tempDir);
      if (Array.isArray(value)) {
        input[field] = await Promise.all(
          value.map((uri: string | null, i) => uri && this.#one(uri, `${field}-${i}`, tempDir)),
        );
      }
    }
    return input;
  }

  async #one(uri: string, prefix: string, tempDir: () => string): Promise<string> {
    const path = await this.#fetchUri(uri);
    if (!this.#present.has(path)) {
      await stat(path).catch(() => {
        throw new Error(`The input file ${path} is missing; it should be in the run's artifacts/`);
      });
      this.#present.add(path);
    }
    if (!this.#copy) return path;
    const own = join(tempDir(), `${prefix}-${basename(path)}`);
    await copyFile(path, own);
    return own;
  }
}
