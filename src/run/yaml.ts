import { parse } from "yaml";
import { messageOf, ScytheError } from "../errors.ts";
import { getText, type Storage } from "../storage/storage.ts";
import { brokenSeal, sealState } from "./seal.ts";

/**
 * Reads one of a run's small YAML files; undefined when it does not exist.
 * @param options.sealed whether it begins with a hash of the rest
 * @throws ScytheError `storage` when it is damaged
 */
export async function readYaml<T>(
  storage: Storage,
  key: string,
  options: { sealed?: boolean } = {},
): Promise<{ value: T; etag: string } | undefined> {
  const found = await getText(storage, key);
  if (!found) return undefined;
  if (options.sealed && sealState(found.text) === "broken") throw brokenSeal(storage.uriOf(key));
  try {
    const value = parse(found.text) as T;
    if (typeof value !== "object" || value === null) throw new Error("it holds no fields");
    return { value, etag: found.etag };
  } catch (cause) {
    throw new ScytheError("storage", `${storage.uriOf(key)} is damaged: ${messageOf(cause).split("\n")[0]}`, {
      hint: "Restore it from a copy of the run, if there is one.",
      cause,
    });
  }
}
