import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** Where this package lies, whether this module is a source file, built, or part of a bundle. */
const ROOT = rootAbove(dirname(fileURLToPath(import.meta.url)));

/** A file of this package. @param path from its root, with slashes */
export function packageFile(path: string): string {
  return join(ROOT, path);
}

/** The version of this package. */
export function packageVersion(): string {
  return (JSON.parse(readFileSync(packageFile("package.json"), "utf8")) as { version: string }).version;
}

function rootAbove(folder: string): string {
  return existsSync(join(folder, "package.json")) ? folder : rootAbove(dirname(folder));
}
