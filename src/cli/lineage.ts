import type { Command } from "commander";
import { type ProjectFlags, projectOptions, RUN_NAME } from "./options.ts";

export function registerLineage(program: Command): void {
  const command = program
    .command("lineage")
    .summary("say what produced a run: code, environment, inputs, earlier runs")
    .description("Says what produced a run: code, environment, inputs with their hashes, and the runs it goes on from.")
    .argument("<run>", RUN_NAME);
  projectOptions(command).action(async (run: string, flags: ProjectFlags) => {
    const { showLineage } = await import("./show-lineage.ts");
    await showLineage(run, flags);
  });
}
