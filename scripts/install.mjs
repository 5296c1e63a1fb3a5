import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Runs npm in a folder; what it prints goes to stderr. */
export function npm(folder, ...args) {
  const shell = process.platform === "win32"; // npm is a script there
  execFileSync("npm", args, { cwd: folder, stdio: ["ignore", 2, 2], shell });
}

/** Installs the packages of a folder's lockfile, when it has changed since. */
export function install(folder) {
  const lock = createHash("sha256").update(readFileSync(join(folder, "package-lock.json"))).digest("hex");
  const installed = join(folder, "node_modules", ".scythe-lock");
  if (existsSync(installed) && readFileSync(installed, "utf8") === lock) return;
  npm(folder, "ci", "--no-audit", "--no-fund", "--loglevel=error");
  writeFileSync(installed, lock);
}
