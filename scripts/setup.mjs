// Makes the checkout ready: packages from the lockfile and a build, each only when something has changed.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const lock = createHash("sha256").update(readFileSync(join(root, "package-lock.json"))).digest("hex");
const installed = join(root, "node_modules", ".scythe-lock");
const built = join(root, "dist", ".built");

const shell = process.platform === "win32"; // npm is a script there
const run = (...args) => execFileSync("npm", args, { cwd: root, stdio: ["ignore", 2, 2], shell });

if (!existsSync(installed) || readFileSync(installed, "utf8") !== lock) {
  run("ci", "--no-audit", "--no-fund", "--loglevel=error");
  writeFileSync(installed, lock);
}
if (!existsSync(built) || newest(join(root, "src")) > statSync(built).mtimeMs) {
  rmSync(join(root, "dist"), { recursive: true, force: true }); // what has no source any more is no part of the package
  run("run", "--silent", "build");
  mkdirSync(join(root, "dist"), { recursive: true });
  writeFileSync(built, "");
}

function newest(folder) {
  let latest = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    latest = Math.max(latest, entry.isDirectory() ? newest(path) : statSync(path).mtimeMs);
  }
  return latest;
}
