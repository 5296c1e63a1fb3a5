import type { Command } from "commander";
import type { Finding } from "../../index.ts";
import { EXIT } from "../exit.ts";
import { type ProjectFlags, projectOptions } from "../options.ts";
import { print } from "../output.ts";
import { type Style, styleFor } from "../view/style.ts";

interface DoctorFlags extends ProjectFlags {
  engine?: string;
}

const EXAMPLES = `
Examples:
  scythe doctor
  scythe doctor --engine hatchet
  scythe doctor --storage s3://my-bucket/scythe`;

export function register(command: Command): void {
  command
    .description("Checks everything that a run needs. Prints no secrets. Exit code 4 when something cannot work.")
    .option("--engine <name>", "check what this engine needs, instead of the project's engine")
    .addHelpText("after", EXAMPLES);
  projectOptions(command).action(async (flags: DoctorFlags) => {
    process.exitCode = await doctor(flags);
  });
}

/** Prints what was found. Returns the exit code. */
async function doctor({ storage, engine, json }: DoctorFlags): Promise<number> {
  const { examineSetup } = await import("../../index.ts");
  const findings = await examineSetup(process.cwd(), {
    ...(storage === undefined ? {} : { storage }),
    ...(engine === undefined ? {} : { engine }),
  });
  const problems = findings.filter(({ state }) => state === "problem").length;
  await print(
    json
      ? `${JSON.stringify({ problems, findings }, null, 2)}\n`
      : findings.map((finding) => findingText(finding, styleFor(process.stdout))).join(""),
  );
  return problems > 0 ? EXIT.unreachable : EXIT.ok;
}

function findingText({ what, state, said, todo }: Finding, style: Style): string {
  const mark = { ok: style.green("ok     "), warning: style.yellow("warning"), problem: style.red("PROBLEM") }[state];
  return `${mark}  ${style.bold(what)}: ${said}\n${todo === undefined ? "" : `         → ${todo}\n`}`;
}
