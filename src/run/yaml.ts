import { parse } from "yaml";
import { messageOf, ScytheError } from "../errors.ts";
import { getText, type Storage } from "../storage/storage.ts";

/**
 * Reads one of a run's small YAML files; undefined when it does not exist.
 * @throws ScytheError `storage` when it is damaged
 */
export async function readYaml<T>(storage: Storage, key: string): Promise<{ value: T; etag: string } | undefined> {
  const found = await getText(storage, key);
  if (!found) return undefined;
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
