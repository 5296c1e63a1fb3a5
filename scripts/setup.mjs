// Makes the checkout ready: packages from the lockfile and a build, each only when something has changed.
import { existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { install, npm } from "./install.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const built = join(root, "dist", ".built");

install(root);
if (!existsSync(built) || newest(join(root, "src")) > statSync(built).mtimeMs) {
  rmSync(join(root, "dist"), { recursive: true, force: true }); // what has no source any more is no part of the package
  npm(root, "run", "--silent", "build");
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
