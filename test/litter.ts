import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";

/** What is left in a temporary folder, beside the folder in it that holds this user's, and compiled projects of jiti's. */
export function litterIn(folder: string): string[] {
  const names = existsSync(folder) ? readdirSync(folder) : [];
  return names
    .flatMap((name) => (/^scythe-\d+$/.test(name) ? readdirSync(join(folder, name)) : [name]))
    .filter((name) => name !== "jiti");
}
