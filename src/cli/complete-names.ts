import { dirname } from "node:path";
import type { Argument } from "commander";
import { findConfig, readSettings } from "../config.ts";
import { openStorage } from "../open-storage.ts";
import { Catalog } from "../runs/catalog.ts";
import { SAFE_NAME } from "../schema/base.ts";
import type { Candidate } from "./complete.ts";

/**
 * Names and runs in storage. The config is found but not loaded: a key pressed in some folder must not run the code that
 * lies there.
 */
export async function namesFor(argument: Argument, words: readonly string[]): Promise<Candidate[]> {
  const at = words.indexOf("--storage");
  const named = at >= 0 ? words[at + 1] : undefined;
  const folder = named ? process.cwd() : dirname(findConfig(process.cwd()));
  const settings = readSettings({ config: { experiments: [] }, folder }, named ? { storage: named } : {});
  const storage = await openStorage(settings.storage as string);
  const kind = argument.name();
  const word = words.at(-1)!;
  if (kind === "run" && /[@/]/.test(word)) {
    const [name, version] = word.split(/[@/]/) as [string, string];
    const catalog = new Catalog(storage, name);
    const between = word[name.length]!;
    if (!word.slice(name.length + 1).includes("/")) {
      return (await catalog.listVersions()).reverse().map((text) => ({ text: name + between + text }));
    }
    return (await catalog.listRuns(version)).reverse().map((id) => ({ text: id.replace("/", between) }));
  }
  return (await storage.listFolders("")).filter((name) => SAFE_NAME.test(name)).map((text) => ({ text }));
}
