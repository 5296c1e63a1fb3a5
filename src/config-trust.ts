import { realpathSync, type Stats, statSync } from "node:fs";
import { delimiter, dirname, resolve } from "node:path";
import { ScytheError } from "./errors.ts";

/** Config files whose owner or folder would not do, but that the user vouches for; paths, as in `PATH`. */
const TRUSTED = "SCYTHE_TRUST_CONFIG";
const OTHERS_MAY_WRITE = 0o002;
const STICKY = 0o1000;

/**
 * A config is code that runs as soon as it is found, at or above the current folder: it must be the user's own, where
 * nobody else could have put or changed it.
 * @throws ScytheError `invalid_definition` that says whose it is and what to do
 */
export function assertTrusted(path: string, uid = process.getuid?.()): void {
  if (uid === undefined) return; // no owners and modes here
  const real = realpathSync(path);
  const problem = whyNot(real, uid);
  if (problem === undefined) return;
  const vouched = (process.env[TRUSTED] ?? "").split(delimiter).filter(Boolean);
  if (vouched.some((own) => resolve(own) === resolve(path) || resolve(own) === real)) return;
  throw new ScytheError("invalid_definition", `${path} is not loaded, as it would run as code: ${problem.what}`, {
    hint: `${problem.mend}; or, if you trust whoever can write there, set ${TRUSTED}=${path}.`,
  });
}

interface Problem {
  what: string;
  mend: string;
}

function whyNot(path: string, uid: number): Problem | undefined {
  const file = statSync(path);
  if (file.uid !== uid && file.uid !== 0) {
    return { what: `it belongs to another user (uid ${file.uid})`, mend: "Look into it, then copy it or `chown` it" };
  }
  if (isOpen(file)) return { what: "everybody may write to it", mend: `\`chmod o-w ${path}\`` };
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
    mend: `Move the project to a folder of your own, or \`chmod o-w ${folder}\``,
  };
}
