import { shellWord } from "./shell-word.ts";

const RUN = /\bscythe ([a-z]+ \S+\/v[\d.]+\/\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d)(?! --storage)/g;
/** Where one of our commands starts that is not written with `npx` already. */
const COMMAND = /(?<!npx )(?<![\w./@-])scythe (?=[a-z]+(?:[\s`.]|$))/g;
const LIST = /`scythe list`/g;

let named: string | undefined;

/** The `--storage` of this command, for the commands that its hints name. */
export function rememberStorage(argv: readonly string[]): void {
  const at = argv.findIndex((word) => word === "--storage" || word.startsWith("--storage="));
  named = at < 0 ? undefined : argv[at] === "--storage" ? argv[at + 1] : argv[at]!.slice("--storage=".length);
}

/** Commands to type next: with this command's `--storage`, and with `npx` when this one was started with it. */
export function asTyped(text: string): string {
  return withNpx(named ? withStorageFlag(text, `--storage ${shellWord(named)}`) : text);
}

function withStorageFlag(text: string, flag: string): string {
  return text.replace(RUN, `scythe $1 ${flag}`).replace(LIST, `\`scythe list ${flag}\``);
}

/** With `npx` or `npm exec`, a shell may find no `scythe` on its PATH. */
function withNpx(text: string): string {
  const { npm_command: how, npm_lifecycle_script: what = "" } = process.env;
  return how === "exec" && /^['"]?scythe\b/.test(what) ? text.replace(COMMAND, "npx scythe ") : text;
}
