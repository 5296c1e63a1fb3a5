import type { Command } from "commander";
import { type ProjectFlags, projectOptions, RUN_NAME } from "./options.ts";

const EXAMPLES = `
Examples:
  scythe copy projectile s3://my-bucket/scythe
  scythe copy projectile@v1.0.0 ../archive`;

export function registerCopy(program: Command): void {
  const command = program
    .command("copy")
    .summary("copy a complete run to another storage")
    .description(
      "Copies a complete run to another storage, where its tables name its files as they lie there. Run again, it goes on where it was stopped.",
    )
    .argument("<run>", RUN_NAME)
    .argument("<target>", "the storage to copy to: a folder, or s3://bucket/prefix")
    .addHelpText("after", EXAMPLES);
  projectOptions(command).action(async (run: string, target: string, flags: ProjectFlags) => {
    const { copyTo } = await import("./copy-to.ts");
    process.exitCode = await copyTo(run, target, flags);
  });
}
