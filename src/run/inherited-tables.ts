import { ScytheError } from "../errors.ts";
import type { Storage } from "../storage/storage.ts";
import type { Move } from "../table/relocate.ts";
import type { RunLayout } from "./layout.ts";
import type { FinalFile } from "./report.ts";
import { readYaml } from "./yaml.ts";

/** The tables that an extending run has copied from the run that it extends, to be merged with its own. */
export interface CarriedTables {
  from: string;
  /** References to files of that run lead to this run's copies of them. */
  moves: Move[];
  /** By name; the record of output files among them, where that run has one. */
  tables: Record<string, Omit<FinalFile, "name">>;
}

/** @throws ScytheError `storage` */
export async function readCarried(storage: Storage, layout: RunLayout): Promise<CarriedTables> {
  const found = await readYaml<CarriedTables>(storage, layout.carried);
  if (found) return found.value;
  throw new ScytheError("storage", `${storage.uriOf(layout.carried)} is missing`, {
    hint: "The run extends another, whose tables it had copied there. Extend that run anew.",
  });
}
