import { type Command, InvalidArgumentError } from "commander";
import { type ProjectFlags, projectOptions, RUN_NAME, wholeNumber } from "./options.ts";

export interface ReproFlags extends ProjectFlags {
  to?: string;
}

const EXAMPLES = `
Examples:
  scythe repro projectile 17
  cd repro-projectile-17 && node --inspect-brk repro.mjs`;

export function registerRepro(program: Command): void {
  const command = program
    .command("repro")
    .summary("make a folder in which one spec runs alone")
    .description(
      "Makes a folder with one spec of a run, its input files and a script that runs it alone, under a debugger if wanted, and compares with what the run holds.",
    )
    .argument("<run>", RUN_NAME)
    .argument("<sort_index>", "which of its specs", sortIndexOf)
    .option("--to <folder>", "a new or empty folder (default: repro-<name>-<sort_index>)")
    .addHelpText("after", EXAMPLES);
  projectOptions(command).action(async (run: string, sortIndex: number, flags: ReproFlags) => {
    const { makeReproFolder } = await import("./make-repro.ts");
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
