import { shellWord } from "./shell-word.ts";

const RUN = /\bscythe ([a-z]+ \S+\/v[\d.]+\/\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d)(?! --storage)/g;
const LIST = /`scythe list`/g;

let named: string | undefined;

/** The `--storage` of this command, for the commands that it tells to type next. */
export function rememberStorage(argv: readonly string[]): void {
  const at = argv.findIndex((word) => word === "--storage" || word.startsWith("--storage="));
  named = at < 0 ? undefined : argv[at] === "--storage" ? argv[at + 1] : argv[at]!.slice("--storage=".length);
}

/** Text in which the commands that name a run say the storage, too. */
export function namingStorage(text: string): string {
  if (!named) return text;
  const flag = `--storage ${shellWord(named)}`;
  return text.replace(RUN, `scythe $1 ${flag}`).replace(LIST, `\`scythe list ${flag}\``);
}
