import { relative } from "node:path";
import type { Command } from "commander";
import { note, print } from "../output.ts";
import { shellWord } from "../shell-word.ts";
import { styleFor } from "../view/style.ts";

interface InitFlags {
  json?: boolean;
}

const EXAMPLES = `
Examples:
  scythe init my-study
  scythe init .`;

export function register(command: Command): void {
  command
    .description("Makes a project that is ready to run: a config, an example experiment and specs for it.")
    .argument("<folder>", "where to make it; it must be new or empty")
    .option("--json", "print one JSON value to stdout")
    .addHelpText("after", EXAMPLES)
    .action(init);
}

async function init(where: string, flags: InitFlags): Promise<void> {
  const { initProject } = await import("../../index.ts");
  const { folder, name, files } = await initProject(where);
  const here = relative(process.cwd(), folder);
  const next = [...(here ? [`cd ${shellWord(here)}`] : []), "npm install", "npx scythe run projectile specs.csv"];
  if (flags.json) return print(`${JSON.stringify({ folder, name, files, next }, null, 2)}\n`);
  const style = styleFor(process.stderr);
  note(`${style.green("✓")} made ${name} in ${folder}\n`);
  for (const file of files) note(`  ${style.dim(file)}`);
  note(`\nNext:\n${next.map((command) => `  ${style.cyan(command)}`).join("\n")}`);
}
