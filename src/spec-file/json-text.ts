import { messageOf } from "../errors.ts";

/**
 * Parses JSON and refuses duplicate keys, of which `JSON.parse` would silently keep the last.
 * @throws Error that names the problem
 */
export function parseJson(text: string): unknown {
  const value = parse(text);
  if (colons(text, false) !== keysIn(value) && colons(text, true) !== keysIn(value)) {
    throw new Error(`the key ${JSON.stringify(repeatedKey(text) ?? "?")} appears twice in one object`);
  }
  return value;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const named = /(?<![\w"])(NaN|-?Infinity)(?![\w"])/.exec(text.length < 1e6 ? text : "");
    const what = named ? `${named[0]} is not in JSON; write null, or "${named[0]}" as text` : messageOf(cause);
    throw new Error(what, { cause });
  }
}

/** Number of colons in a text: all of them, which is fast, or only those outside of strings, one per key. */
function colons(text: string, outside: boolean): number {
  let count = 0;
  if (!outside) {
    for (let at = text.indexOf(":"); at >= 0; at = text.indexOf(":", at + 1)) count++;
    return count;
  }
  for (const token of tokens(text)) if (token === ":") count++;
  return count;
}

/** Yields strings and punctuation; skips everything else. */
function* tokens(text: string): Generator<string> {
  const token = /"(?:[^"\\]|\\.)*"|[{}[\]:,]/gs;
  for (let match = token.exec(text); match; match = token.exec(text)) yield match[0];
}

function keysIn(root: unknown): number {
  let count = 0;
  const left: unknown[] = [root];
  while (left.length > 0) {
    const value = left.pop();
    if (typeof value !== "object" || value === null) continue;
    if (!Array.isArray(value)) count += Object.keys(value).length;
    for (const inner of Object.values(value)) if (typeof inner === "object" && inner !== null) left.push(inner);
  }
  return count;
}

function repeatedKey(text: string): string | undefined {
  const objects: (Set<string> | undefined)[] = [];
  let last = "";
  for (const token of tokens(text)) {
    if (token === "{") objects.push(new Set());
    else if (token === "[") objects.push(undefined);
    else if (token === "}" || token === "]") objects.pop();
    else if (token === ":") {
      const keys = objects.at(-1);
      const key = JSON.parse(last) as string;
      if (keys?.has(key)) return key;
      keys?.add(key);
    } else if (token !== ",") last = token;
  }
  return undefined;
}
