import { relative } from "node:path";
import { type Command, InvalidArgumentError } from "commander";
import { withProject } from "../open-project.ts";
import { type ProjectFlags, projectOptions, RUN_NAME, wholeNumber } from "../options.ts";
import { note, print } from "../output.ts";
import { shellWord } from "../shell-word.ts";
import { jsonText } from "../view/json-text.ts";
import { styleFor } from "../view/style.ts";

export interface ReproFlags extends ProjectFlags {
  to?: string;
}

const EXAMPLES = `
Examples:
  scythe repro projectile 17
  cd repro-projectile-17 && node --inspect-brk repro.mjs`;

export function register(command: Command): void {
  command
    .description(
      "Makes a folder with one spec of a run, its input files and a script that runs it alone, under a debugger if you like, and compares its output with the run's.",
    )
    .argument("<run>", RUN_NAME)
    .argument("<sort_index>", "the spec", sortIndexOf)
    .option("--to <folder>", "a new or empty folder (default: repro-<name>-<sort_index>)")
    .addHelpText("after", EXAMPLES);
  projectOptions(command).action(async (run: string, sortIndex: number, flags: ReproFlags) => {
    await makeReproFolder(run, sortIndex, flags);
  });
}

function sortIndexOf(text: string): number {
  try {
    return wholeNumber(0)(text);
  } catch {
    throw new InvalidArgumentError("It must be the sort_index of a spec.");
  }
}

export async function makeReproFolder(reference: string, sortIndex: number, flags: ReproFlags): Promise<void> {
  const overrides = flags.storage === undefined ? {} : { storage: flags.storage };
  await withProject({ ...overrides, engine: "inline" }, async (project) => {
    const repro = await project.audit.repro(reference, sortIndex, flags.to === undefined ? {} : { to: flags.to });
    await print(flags.json ? `${jsonText({ sort_index: sortIndex, ...repro }, 2)}\n` : `${repro.folder}\n`);
    for (const text of repro.notes) note(text);
    const style = styleFor(process.stderr);
    const came = { succeeded: "succeeded", failed: "failed", unknown: "has no row" }[repro.status];
    const script = shellWord(relative(process.cwd(), repro.script));
    note(`spec ${sortIndex} ${came} in the run\n  next  ${style.cyan(`node ${script}`)}`);
    note(`        ${style.cyan(`node --inspect-brk ${script}`)}`);
  });
}
