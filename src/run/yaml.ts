import { isScalar, LineCounter, parseDocument, visit } from "yaml";
import { messageOf, ScytheError } from "../errors.ts";
import { getText, type Storage } from "../storage/storage.ts";
import { brokenSeal, sealState } from "./checksum.ts";

/** Above this a description is not read: the records of 100,000 input files take some 30 MB. */
const MOST_BYTES = 64e6;

/** Each alias is looked for in all of the text before it. */
const MOST_ALIASES = 100;
const ALIAS = /(?<=^|[\s,[{])\*[^\s*]/gm;

/**
 * What a YAML text holds. Takes time in proportion to its length, whoever wrote it: the library's own look for keys that
 * occur twice compares each with all others.
 * @throws Error for text that is no YAML, has a key twice, or is too long
 */
export function parseYaml(text: string): unknown {
  if (text.length > MOST_BYTES) {
    throw new Error(`it has ${text.length} characters, and ${MOST_BYTES} are the most that are read`);
  }
  if ((text.match(ALIAS)?.length ?? 0) > MOST_ALIASES) throw new Error(`it has more than ${MOST_ALIASES} aliases`);
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
