import { rm } from "node:fs/promises";
import { ScytheError } from "../errors.ts";
import type { RunLayout } from "../run/layout.ts";
import type { Report } from "../run/report.ts";
import { SAFE_NAME } from "../schema/base.ts";
import { localCopies } from "../storage/local-copy.ts";
import { listAll, type Storage } from "../storage/storage.ts";
import { makeScratch } from "../temporary.ts";

/** A run's tables, as files that can be copied to this machine. */
export interface TableFiles {
  names(): Promise<string[]>;
  open(names: readonly string[]): Promise<OpenFiles>;
}

/** Table name → local file, which exists until it is closed. */
export interface OpenFiles {
  paths: ReadonlyMap<string, string>;
  close(): Promise<void>;
}

/** Table name → key of its file in `final/`. Other files there (`.DS_Store`, a copy of a table) are ignored. */
export async function finalKeys(storage: Storage, layout: RunLayout): Promise<Map<string, string>> {
  const keys = new Map<string, string>();
  for (const { key } of await listAll(storage, layout.final)) {
    const name = /^(.*)\.pq$/.exec(key.slice(layout.final.length))?.[1];
    if (name !== undefined && SAFE_NAME.test(name)) keys.set(name, key);
  }
  return keys;
}

/** The tables of `final/`: in place in local storage, otherwise temporary copies. */
export class FinalFiles implements TableFiles {
  readonly #storage: Storage;
  readonly #layout: RunLayout;
  readonly #report: Report | undefined;

  /** @param report names the tables; undefined for a run of Python Scythe */
  constructor(storage: Storage, layout: RunLayout, report: Report | undefined) {
    this.#storage = storage;
    this.#layout = layout;
    this.#report = report;
  }

  /** @throws ScytheError `storage` when a table that the report names is missing */
  async names(): Promise<string[]> {
    const names = [...(await finalKeys(this.#storage, this.#layout)).keys()];
    const lost = Object.keys(this.#report?.final ?? {}).find((name) => !names.includes(name));
    if (lost === undefined) return names;
    const uri = this.#storage.uriOf(this.#layout.finalTable(lost));
    throw new ScytheError("storage", `${uri} is missing, though report.yml names it`, {
      hint: `Restore it from a copy of the run; scythe verify ${this.#layout.experimentId} says what else is missing.`,
    });
  }

  async open(names: readonly string[]): Promise<OpenFiles> {
    return inScratch(async (folder) => {
      const keys = names.map((name) => this.#layout.finalTable(name));
      const paths = await localCopies(this.#storage, keys, folder);
      return new Map(names.map((name, i) => [name, paths[i]!]));
    });
  }
}

/** Tables that `make` writes into a folder, which is removed when they are closed. */
export async function inScratch(make: (folder: string) => Promise<Map<string, string>>): Promise<OpenFiles> {
  const folder = await makeScratch("read");
  const close = () => rm(folder, { recursive: true, force: true });
  try {
    return { paths: await make(folder), close };
  } catch (error) {
    await close();
    throw error;
  }
}
