import { ScytheError } from "../errors.ts";
import type { Storage } from "../storage/storage.ts";
import type { Move } from "../table/relocate.ts";
import type { RunLayout } from "./layout.ts";
import type { FinalFile } from "./report.ts";
import { readYaml } from "./yaml.ts";

/**
 * The tables that an extending run has copied from its base run, to be merged with its own. Stored as `carried.json`, a
 * name that earlier versions use.
 */
export interface InheritedTables {
  from: string;
  /** Maps references to the base run's files to this run's copies of them. */
  moves: Move[];
  /** By table name; includes the record of output files when the base run has one. */
  tables: Record<string, Omit<FinalFile, "name">>;
}

/** @throws ScytheError `storage` */
export async function readInheritedTables(storage: Storage, layout: RunLayout): Promise<InheritedTables> {
  const found = await readYaml<InheritedTables>(storage, layout.inheritedTables);
  if (found) return found.value;
  throw new ScytheError("storage", `${storage.uriOf(layout.inheritedTables)} is missing`, {
    hint: "The run extends another run and had its tables copied there. Extend that run again.",
  });
}
