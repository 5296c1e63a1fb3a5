/** For tests only: real weather files that lie beside the repository, not in it. */
import { existsSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";

const FOLDER = resolve(import.meta.dirname, "../../../shared/data/weather");

/** Paths of the real files with this ending; none, and a loud line, where the folder is absent. */
export function sharedWeather(ending: ".epw" | ".ddy"): string[] {
  if (existsSync(FOLDER)) {
    return readdirSync(FOLDER)
      .filter((name) => name.endsWith(ending))
      .map((name) => join(FOLDER, name));
  }
  console.warn(`SKIPPED: tests with real ${ending} files, because ${FOLDER} is absent`);
  return [];
}
