import type { Command } from "commander";

export interface InitFlags {
  json?: boolean;
}

export function registerInit(program: Command): void {
  program
    .command("init")
    .summary("make a new project with an example experiment")
    .description("Makes a project that runs at once: a config, an example experiment and specs for it.")
    .argument("<folder>", "where to make it; it must be new or empty")
    .option("--json", "print one JSON value to stdout")
    .action(async (folder: string, flags: InitFlags) => {
      const { initProject } = await import("./init-project.ts");
      await initProject(folder, flags);
    });
}
