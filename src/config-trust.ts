import { realpathSync, type Stats, statSync } from "node:fs";
import { delimiter, dirname, resolve } from "node:path";
import { ScytheError } from "./errors.ts";

/** Config files that the user trusts although their owner or folder would be refused; paths, as in `PATH`. */
const TRUSTED = "SCYTHE_TRUST_CONFIG";
const OTHERS_MAY_WRITE = 0o002;
const STICKY = 0o1000;

/**
 * A config is code that runs as soon as it is found, in or above the current folder. It must belong to the user and be
 * in a place where no other user could have written it.
 * @throws ScytheError `invalid_definition` that names the owner or the problem and what to do
 */
export function assertTrusted(path: string, uid = process.getuid?.()): void {
  if (uid === undefined) return; // this system has no owners and modes
  const real = realpathSync(path);
  const problem = whyNot(real, uid);
  if (problem === undefined) return;
  const vouched = (process.env[TRUSTED] ?? "").split(delimiter).filter(Boolean);
  if (vouched.some((own) => resolve(own) === resolve(path) || resolve(own) === real)) return;
  throw new ScytheError("invalid_definition", `${path} is not loaded, as it would run as code: ${problem.what}`, {
    hint: `${problem.fix}; or, if you trust everyone who can write there, set ${TRUSTED}=${path}.`,
  });
}

interface Problem {
  what: string;
  fix: string;
}

function whyNot(path: string, uid: number): Problem | undefined {
  const file = statSync(path);
  if (file.uid !== uid && file.uid !== 0) {
    return { what: `it belongs to another user (uid ${file.uid})`, fix: "Review it, then copy it or `chown` it" };
  }
  if (isOpen(file)) return { what: "everybody may write to it", fix: `\`chmod o-w ${path}\`` };
  const folder = dirname(path);
  if (isOpen(statSync(folder))) return openFolder(folder);
  for (let above = dirname(folder); ; above = dirname(above)) {
    const info = statSync(above);
    if (isOpen(info) && (info.mode & STICKY) === 0) return openFolder(above);
    if (above === dirname(above)) return undefined;
  }
}

function isOpen({ mode }: Stats): boolean {
  return (mode & OTHERS_MAY_WRITE) !== 0;
}

function openFolder(folder: string): Problem {
  return {
    what: `everybody may write to the folder ${folder}`,
    fix: `Move the project to a folder of your own, or \`chmod o-w ${folder}\``,
  };
}
