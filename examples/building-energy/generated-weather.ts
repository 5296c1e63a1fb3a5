import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { writeTypicalYear } from "./weather/typical-year.ts";

const FILES = { chicago: "chicago-typical-year.epw", sanFrancisco: "san-francisco-typical-year.epw" } as const;

/**
 * Paths of the two synthetic weather files, made where they are absent.
 * @param folder default: `generated/` beside this file
 */
export function generatedWeather(folder: URL = new URL("./generated/", import.meta.url)): string[] {
  return (Object.keys(FILES) as (keyof typeof FILES)[]).map((climate) => {
    const path = fileURLToPath(new URL(FILES[climate], folder));
    if (!existsSync(path)) writeTypicalYear(climate, path);
    return path;
  });
}
