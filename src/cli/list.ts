import type { Command } from "commander";
import { limitOption, type ProjectFlags, projectOptions } from "./options.ts";

export interface ListFlags extends ProjectFlags {
  limit?: number;
}

export function registerList(program: Command): void {
  const command = program
    .command("list")
    .summary("list experiments, or the runs of one")
    .description("Lists the experiments of the project and of its storage; with a name, its runs, newest first.")
    .argument("[experiment]", "an experiment or run name")
    .addOption(limitOption("newest runs that are listed").default(0, "all"));
  projectOptions(command).action(async (experiment: string | undefined, flags: ListFlags) => {
    const { listExperiments, listRuns } = await import("./list-runs.ts");
    await (experiment === undefined ? listExperiments(flags) : listRuns(experiment, flags));
  });
}
