import { isSecretName, redact } from "../index.ts";
import { shellWord } from "./shell-word.ts";

/** What was typed, for a run's record: without what may be a secret, by its name or within a URL. */
export function commandText(words: readonly string[]): string {
  return ["scythe", ...words.map((word, i) => shellWord(withoutSecret(word, words[i - 1])))].join(" ");
}

function withoutSecret(word: string, before: string | undefined): string {
  const [, flag, given] = /^(--[\w-]+)=(.*)$/s.exec(word) ?? [];
  if (flag !== undefined && given !== undefined) return `${flag}=${withoutSecret(given, flag)}`;
  const [, name, value] = /^([^=]+)=(.*)$/s.exec(word) ?? [];
  if (name !== undefined && isSecretName(name)) return `${name}=…`;
  if (before?.startsWith("--") && isSecretName(before) && !before.includes("=") && !word.startsWith("-")) return "…";
  if (name !== undefined && value !== undefined) return `${name}=${withoutUserInfo(value)}`;
  return withoutUserInfo(word);
}

/** A URL's query holds credentials at times, whatever they are called there. */
function withoutUserInfo(text: string): string {
  return redact(text).replace(/([a-z][a-z0-9+.-]*:\/\/[^?\s,]*)\?[^\s,]*/gi, "$1?…");
}
