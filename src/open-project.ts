import { dirname } from "node:path";
import { type Config, findConfig, loadConfig, type Overrides, readSettings } from "./config.ts";
import { ScytheError } from "./errors.ts";
import { didYouMean } from "./known-keys.ts";
import { openStorage } from "./open-storage.ts";
import { Scythe } from "./project.ts";

/**
 * Opens the project whose `scythe.config.ts` is at or above a folder.
 * @param where a folder, a config file, or (for the `inline` engine alone) the config as an object
 * @param overrides what is to hold above environment and config
 * @throws ScytheError `not_found` without a config; `invalid_definition` when it does not load; `invalid_input` for a
 *   setting that cannot be
 */
export async function openProject(
  where: string | URL | Config = process.cwd(),
  overrides: Overrides = {},
): Promise<Scythe> {
  const bare = typeof where === "object" && !(where instanceof URL);
  const loaded = bare ? { config: where, path: undefined, folder: process.cwd() } : await loadConfig(where);
  const settings = readSettings(loaded, bare ? { engine: "inline", ...overrides } : overrides);
  assertEngine(settings.engine, loaded.path);
  const storage = typeof settings.storage === "string" ? await openStorage(settings.storage) : settings.storage;
  return new Scythe(loaded, settings, storage);
}

/**
 * Opens what is stored, without loading the project's config: none of its code runs. Its runs can be read, watched and
 * stopped; nothing can be run. The storage is the one that `overrides` or the environment name, else `scythe-data` beside
 * the config.
 * @param where a folder at or below the project's
 * @throws ScytheError `not_found` without a config, when no storage is named
 */
export async function openRuns(where: string = process.cwd(), overrides: Overrides = {}): Promise<Scythe> {
  const config: Config = { experiments: [] };
  const folder = overrides.storage === undefined ? dirname(findConfig(where)) : where;
  const settings = readSettings({ config, folder }, { ...overrides, engine: "inline" });
  const storage = typeof settings.storage === "string" ? await openStorage(settings.storage) : settings.storage;
  return new Scythe({ config, path: undefined, folder }, settings, storage);
}

const ENGINES = ["local", "inline", "hatchet"];

function assertEngine(engine: string, configPath: string | undefined): void {
  if (!ENGINES.includes(engine)) {
    throw new ScytheError("invalid_input", `No engine named ${JSON.stringify(engine)}`, {
      hint: `Use "local" (child processes), "inline" (this process, for debugging) or "hatchet" (a cluster)${didYouMean(engine, ENGINES)}`,
    });
  }
  if (engine === "inline" || configPath !== undefined) return;
  throw new ScytheError("invalid_input", "A project opened on a bare object can only run inline", {
    hint: "Worker processes load the project from a file: write a scythe.config.ts and open its folder.",
  });
}
