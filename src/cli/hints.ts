import { shellWord } from "./shell-word.ts";

const RUN = /\bscythe ([a-z]+ \S+\/v[\d.]+\/\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d)(?! --storage)/g;
/** Where a command of ours begins that is not written with `npx` already. */
const COMMAND = /(?<!npx )(?<![\w./@-])scythe (?=[a-z]+(?:[\s`.]|$))/g;
const LIST = /`scythe list`/g;

let named: string | undefined;

/** The `--storage` of this command, for the commands that it tells to type next. */
export function rememberStorage(argv: readonly string[]): void {
  const at = argv.findIndex((word) => word === "--storage" || word.startsWith("--storage="));
  named = at < 0 ? undefined : argv[at] === "--storage" ? argv[at + 1] : argv[at]!.slice("--storage=".length);
}

/** Commands to type next, as they work here: with the storage that this one was given, and by `npx` when it came so. */
export function asTyped(text: string): string {
  return withNpx(named ? withStorageFlag(text, `--storage ${shellWord(named)}`) : text);
}

function withStorageFlag(text: string, flag: string): string {
  return text.replace(RUN, `scythe $1 ${flag}`).replace(LIST, `\`scythe list ${flag}\``);
}

/** Who came by `npx` or `npm exec` has no `scythe` that a shell would find. */
function withNpx(text: string): string {
  const { npm_command: how, npm_lifecycle_script: what = "" } = process.env;
  return how === "exec" && /^['"]?scythe\b/.test(what) ? text.replace(COMMAND, "npx scythe ") : text;
}
