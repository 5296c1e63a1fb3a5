import type { Argument } from "commander";
import { openRuns } from "../../open-project.ts";
import type { Candidate } from "./candidate.ts";

/**
 * Names and runs in storage. The config is found but not loaded: a key pressed in some folder must not run the code that
 * lies there.
 */
export async function namesFor(argument: Argument, words: readonly string[]): Promise<Candidate[]> {
  const at = words.indexOf("--storage");
  const named = at >= 0 ? words[at + 1] : undefined;
  const project = await openRuns(process.cwd(), named ? { storage: named } : {});
  const word = words.at(-1)!;
  if (argument.name() !== "run" || !/[@/]/.test(word)) return (await project.listNames()).map((text) => ({ text }));
  const [name, version] = word.split(/[@/]/) as [string, string];
  const catalog = project.experiment(name);
  const between = word[name.length]!;
  if (!word.slice(name.length + 1).includes("/")) {
    return (await catalog.listVersions()).reverse().map((text) => ({ text: name + between + text }));
  }
  return (await catalog.listRuns(version)).reverse().map((id) => ({ text: id.replace("/", between) }));
}
