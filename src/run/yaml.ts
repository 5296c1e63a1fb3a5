import { isScalar, LineCounter, parseDocument, visit } from "yaml";
import { messageOf, ScytheError } from "../errors.ts";
import { getText, type Storage } from "../storage/storage.ts";
import { checksumMismatch, checksumState } from "./checksum.ts";

/** Longer files are refused: the records of 100,000 input files take some 30 MB. */
const MAX_BYTES = 64e6;

/** Each alias costs a search of all the text before it. */
const MAX_ALIASES = 100;
const ALIAS = /(?<=^|[\s,[{])\*[^\s*]/gm;

/**
 * Parses YAML in time proportional to its length, whoever wrote it. The library's own check for duplicate keys compares
 * each key with all others, so this has its own.
 * @throws Error for text that is not YAML, has a duplicate key, or is too long
 */
export function parseYaml(text: string): unknown {
  if (text.length > MAX_BYTES) {
    throw new Error(`it has ${text.length} characters, the limit is ${MAX_BYTES}`);
  }
  if ((text.match(ALIAS)?.length ?? 0) > MAX_ALIASES) throw new Error(`it has more than ${MAX_ALIASES} aliases`);
  const lines = new LineCounter();
  const document = parseDocument(text, { uniqueKeys: false, prettyErrors: false, lineCounter: lines });
  const [error] = document.errors;
  if (error) throw new Error(`${error.message.split("\n")[0]} (line ${lines.linePos(error.pos[0]).line})`);
  visit(document, {
    Map: (_, map) => {
      const keys = new Set<unknown>();
      for (const { key } of map.items) {
        const name = isScalar(key) ? String(key.value) : key;
        if (keys.has(name)) throw new Error(`it has ${JSON.stringify(String(name).slice(0, 80))} twice`);
        keys.add(name);
      }
    },
  });
  return document.toJS();
}

/**
 * Reads one of a run's small YAML files; undefined when it does not exist.
 * @param options.checksummed whether its first line is a checksum of the rest
 * @throws ScytheError `storage` when it is damaged
 */
export async function readYaml<T>(
  storage: Storage,
  key: string,
  options: { checksummed?: boolean } = {},
): Promise<{ value: T; etag: string } | undefined> {
  const found = await getText(storage, key);
  if (!found) return undefined;
  if (options.checksummed && checksumState(found.text) === "damaged") throw checksumMismatch(storage.uriOf(key));
  try {
    const value = parseYaml(found.text) as T;
    if (typeof value !== "object" || value === null) throw new Error("it holds no fields");
    return { value, etag: found.etag };
  } catch (cause) {
    throw new ScytheError("storage", `${storage.uriOf(key)} is damaged: ${messageOf(cause).split("\n")[0]}`, {
      hint: "Restore it from a copy of the run, if there is one.",
      cause,
    });
  }
}
