import { isScytheError, ScytheError } from "../errors.ts";
import { didYouMean } from "../known-keys.ts";
import { parseExperimentId, RunLayout } from "../run/layout.ts";
import { SAFE_NAME } from "../schema/base.ts";
import type { Storage } from "../storage/storage.ts";
import { Catalog } from "./catalog.ts";

/** Experiment names and run names that have something in storage. */
export async function namesIn(storage: Storage): Promise<string[]> {
  return (await storage.listFolders("")).filter((name) => SAFE_NAME.test(name)); // a bucket may hold other things
}

/**
 * Where the run lies that is named by `<name>` (its latest), `<name>@<version>`, `<name>@<version>/<timestamp>` or its
 * `experiment_id`; it may be damaged.
 * @param experiments names that the project has beside those in storage
 * @throws ScytheError `not_found` with the nearest name
 */
export async function locateRun(
  storage: Storage,
  reference: string,
  experiments: readonly string[],
): Promise<RunLayout> {
  const id = parseExperimentId(reference.replace("@", "/"));
  if (id) return new RunLayout({ ...id, name: new Catalog(storage, id.name).name });
  const [name, version] = reference.replace(/^([^/@]+)\/(v\d[^/]*)\/?$/, "$1@$2").split("@") as [string, string?];
  return new Catalog(storage, name).latestLayout(version).catch(async (error) => {
    if (!isScytheError(error) || error.code !== "not_found") throw error;
    const names = [...new Set([...(await namesIn(storage)), ...experiments])];
    if (names.includes(name)) throw error;
    throw new ScytheError("not_found", `${error.message}${didYouMean(name, names)}`, {
      hint: error.hint ?? "",
      cause: error,
    });
  });
}

/** @throws ScytheError `not_found` for a name that neither the project nor storage has */
export async function assertKnownName(storage: Storage, name: string, experiments: readonly string[]): Promise<void> {
  const known = [...new Set([...experiments, ...(await namesIn(storage))])].sort();
  if (known.includes(name)) return;
  throw new ScytheError("not_found", `No experiment or run named ${JSON.stringify(name)}${didYouMean(name, known)}`, {
    hint:
      known.length > 0 ? `There are: ${known.join(", ")}` : "The config names no experiments, and storage is empty.",
    details: { name, known },
  });
}
