import type { Argument } from "commander";
import { loadConfig, readSettings } from "../config.ts";
import { Registry } from "../experiment/registry.ts";
import { openStorage } from "../open-storage.ts";
import { SAFE_NAME } from "../spec/base.ts";
import { Catalog } from "../study/catalog.ts";
import type { Candidate } from "./complete.ts";

/** Experiments of the config for what is to be run, else names and runs in storage, too. */
export async function namesFor(argument: Argument, words: readonly string[]): Promise<Candidate[]> {
  const kind = argument.name();
  const at = words.indexOf("--storage");
  const overrides = at >= 0 && words[at + 1] ? { storage: words[at + 1]! } : {};
  const none = { config: { experiments: [] }, folder: process.cwd() };
  const loaded = await loadConfig(process.cwd()).catch(() => none);
  const defined = new Registry(loaded.config.experiments)
    .all()
    .map((experiment) => ({ text: experiment.name, about: experiment.description }));
  if (kind === "experiment" && argument.required) return defined;
  if (loaded === none && overrides.storage === undefined) return [];
  const { storage: where } = readSettings(loaded, overrides);
  const storage = typeof where === "string" ? openStorage(where) : where;
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
  const stored = (await storage.listFolders("")).filter((name) => SAFE_NAME.test(name)).map((text) => ({ text }));
  if (kind === "run") return stored.map(({ text }) => defined.find((known) => known.text === text) ?? { text });
  return [...defined, ...stored.filter(({ text }) => !defined.some((known) => known.text === text))];
}
