import { shellWord } from "./shell-word.ts";

const SECRET = /(pass(word|wd|phrase)?|secret|token|credential|api[_-]?key|access[_-]?key|private[_-]?key)/i;

/** What was typed, for a run's record: without what may be a secret, by its name or within a URL. */
export function commandText(words: readonly string[]): string {
  return ["scythe", ...words.map((word, i) => shellWord(withoutSecret(word, words[i - 1])))].join(" ");
}

function withoutSecret(word: string, before: string | undefined): string {
  const [, flag, given] = /^(--[\w-]+)=(.*)$/s.exec(word) ?? [];
  if (flag !== undefined && given !== undefined) return `${flag}=${withoutSecret(given, flag)}`;
  const [, name, value] = /^([^=]+)=(.*)$/s.exec(word) ?? [];
  if (name !== undefined && SECRET.test(name)) return `${name}=…`;
  if (before?.startsWith("--") && SECRET.test(before) && !before.includes("=") && !word.startsWith("-")) return "…";
  if (name !== undefined && value !== undefined) return `${name}=${withoutUserInfo(value)}`;
  return withoutUserInfo(word);
}

/** A URL's user, password and query hold credentials at times. */
function withoutUserInfo(text: string): string {
  return text
    .replace(/([a-z][a-z0-9+.-]*:\/\/)[^/@\s]*@/gi, "$1…@")
    .replace(/([a-z][a-z0-9+.-]*:\/\/[^?\s,]*)\?[^\s,]*/gi, "$1?…");
}
