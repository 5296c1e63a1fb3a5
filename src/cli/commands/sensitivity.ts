import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { type Command, Option } from "commander";
import { ScytheError } from "../../errors.ts";
import {
  nextStep,
  type OutputSensitivity,
  type Run,
  type Scythe,
  SENSITIVITY_METHODS,
  type Sensitivity,
  type SensitivityIndex,
  type SensitivityMethod,
  type SensitivityOptions,
} from "../../index.ts";
import { commandText } from "../command-text.ts";
import { driveRun, untilAllocated } from "../drive-run.ts";
import { EXIT } from "../exit.ts";
import { findResults, notePartial } from "../find-results.ts";
import { withProject, withStorage } from "../open-project.ts";
import { filled, filledList, projectOptions, RUN_NAME, wholeNumber } from "../options.ts";
import { note, outputWidth, print } from "../output.ts";
import { type EngineFlags, engineOptions, overridesOf } from "../run-options.ts";
import { bar } from "../view/bars.ts";
import { jsonText } from "../view/json-text.ts";
import { numberText } from "../view/number-text.ts";
import { styleFor } from "../view/style.ts";
import { type TextColumn, tableText } from "../view/table-text.ts";
import { countText, plural } from "../view/units.ts";

interface SensitivityFlags extends EngineFlags {
  output?: string[];
  method?: SensitivityMethod | "auto";
  confidence?: number;
  resamples?: number;
  seed?: number;
  table?: string;
  overwrite?: boolean;
  until?: number;
  budget?: number;
}

const EXAMPLES = `
Examples:
  scythe sensitivity building_energy
  scythe sensitivity building_energy --output heating cooling --method pawn
  scythe sensitivity building_energy -o indices.parquet
  scythe sensitivity building_energy --output heating --until 0.05 --budget 100000

A run of design saltelli gives Sobol' indices, one of design morris elementary effects; any other run first-order
indices estimated from its rows. A failed spec takes its whole block of the design with it; nothing is imputed.`;

/** Without a budget, a run grows to at most so many times its specs. */
const DEFAULT_GROWTH = 16;

export function register(command: Command): void {
  const positive = (text: string) => {
    const value = Number(text);
    if (text.trim() !== "" && value > 0 && Number.isFinite(value)) return value;
    throw new ScytheError("invalid_input", `${JSON.stringify(text)} is no number above 0`, { hint: "Such as 0.05." });
  };
  command
    .description("Says which inputs the outputs of a run depend on, and how surely that is known.")
    .argument("<run>", RUN_NAME)
    .option("--output <name...>", "these outputs only (default: all that are numbers)", filledList)
    .addOption(new Option("--method <name>", "default: auto").choices(["auto", ...SENSITIVITY_METHODS]))
    .addOption(new Option("--confidence <share>", "of the intervals (default: 0.95)").argParser(positive))
    .addOption(new Option("--resamples <n>", "of the bootstrap (default: 1000)").argParser(wholeNumber(2)))
    .addOption(new Option("--seed <n>", "of the bootstrap (default: 0)").argParser(wholeNumber(0)))
    .option("-o, --table <file>", "write the indices as a .parquet table", filled)
    .option("--overwrite", "replace a table that exists")
    .addOption(
      new Option("--until <half-width>", "extend the run until each index is known to ± this").argParser(positive),
    )
    .addOption(
      new Option(
        "--budget <specs>",
        `with --until: specs that the run may have in all (default: ${DEFAULT_GROWTH} × those it has)`,
      ).argParser(wholeNumber(1)),
    )
    .addHelpText("after", EXAMPLES);
  engineOptions(projectOptions(command)).action(async (run: string, flags: SensitivityFlags) => {
    process.exitCode = await (flags.until === undefined ? show(run, flags) : growUntil(run, flags.until, flags));
  });
}

async function show(reference: string, flags: SensitivityFlags): Promise<number> {
  assertNewTable(flags);
  await withStorage(flags, async (project) => {
    const results = await findResults(project, reference);
    const sensitivity = await results.sensitivity(optionsOf(flags));
    notePartial(results);
    await tell(results.experimentId, sensitivity, flags);
  });
  return EXIT.ok;
}

/** Extends the run step by step. Each step is a run of its own, with the one before as its parent. */
async function growUntil(reference: string, halfWidth: number, flags: SensitivityFlags): Promise<number> {
  assertNewTable(flags);
  return withProject(overridesOf(flags), async (project) => {
    let run = await project.findRun(reference);
    const budget = flags.budget ?? (run.manifest.scythe?.spec_count ?? 0) * DEFAULT_GROWTH;
    for (;;) {
      const sensitivity = await (await run.openResults()).sensitivity(optionsOf(flags));
      const step = nextStep(sensitivity, { halfWidth, budget, ...shapeOf(run, sensitivity) });
      const { widest } = step;
      note(
        `${plural(sensitivity.specs.planned, "spec")}: the widest interval is ± ${numberText(widest.halfWidth)} (${widest.index} of ${widest.input} on ${widest.output})`,
      );
      if (step.done) {
        if (step.why === "budget") note(`The budget of ${plural(budget, "spec")} ends it before ± ${halfWidth}.`);
        await tell(run.experimentId, sensitivity, flags);
        return step.why === "budget" ? EXIT.findings : EXIT.ok;
      }
      note(`${plural(step.points, "point")} more should bring it to about ± ${numberText(step.expected)}`);
      run = await extended(project, run, step.points);
      const code = await driveRun(run, false);
      if (code !== EXIT.ok && code !== EXIT.failedSpecs) return code;
    }
  });
}

async function extended(project: Scythe, run: Run, points: number): Promise<Run> {
  const specs = await project.nextSpecs(run.experimentId, points);
  const command = commandText(process.argv.slice(2));
  return untilAllocated(project, () => project.extend(run.experimentId, specs, { command, onNotice: note }));
}

/** Rows of a point of the design, and whether it is balanced after 2, 4, 8, … points only. */
function shapeOf(run: Run, { specs, outputs }: Sensitivity): { rowsPerPoint: number; powersOfTwo: boolean } {
  const design = run.manifest.scythe?.design?.design;
  const points = outputs[0]?.blocks.planned ?? specs.planned;
  return { rowsPerPoint: Math.round(specs.planned / points), powersOfTwo: design === "saltelli" || design === "sobol" };
}

function optionsOf({ output, method, confidence, resamples, seed }: SensitivityFlags): SensitivityOptions {
  return {
    ...(output === undefined ? {} : { outputs: output }),
    ...(method === undefined ? {} : { method }),
    ...(confidence === undefined ? {} : { confidence }),
    ...(resamples === undefined ? {} : { resamples }),
    ...(seed === undefined ? {} : { seed }),
  };
}

function assertNewTable({ table, overwrite = false }: SensitivityFlags): void {
  if (table === undefined) return;
  if (!/\.(parquet|pq)$/i.test(table)) {
    throw new ScytheError("invalid_input", `${table}: the indices are written as .parquet`, {
      hint: "Give the file this extension; --json prints them, too.",
    });
  }
  if (!overwrite && existsSync(table)) {
    throw new ScytheError("conflict", `${table} exists already`, {
      hint: "Choose another name, or replace it with --overwrite.",
    });
  }
}

async function tell(experimentId: string, sensitivity: Sensitivity, flags: SensitivityFlags): Promise<void> {
  if (flags.table !== undefined) {
    const { sensitivityParquet } = await import("../../index.ts");
    await writeFile(flags.table, await sensitivityParquet(sensitivity), { flag: flags.overwrite ? "w" : "wx" });
    note(`The indices are in ${flags.table}`);
  }
  if (flags.json) return print(`${jsonText({ experiment_id: experimentId, ...sensitivity }, 2)}\n`);
  const style = styleFor(process.stdout);
  await print(`${style.bold(experimentId)}  ${sensitivity.method}\n${sensitivity.statement}\n`);
  for (const output of sensitivity.outputs) await printOutput(output, sensitivity);
  for (const { name, reason } of [...sensitivity.leftOut, ...sensitivity.skipped]) note(`${name} ${reason}`);
}

async function printOutput(output: OutputSensitivity, { unit }: Sensitivity): Promise<void> {
  const style = styleFor(process.stdout);
  const { used, planned } = output.blocks;
  const r2 = output.rSquared === undefined ? "" : `, R² ${output.rSquared.toFixed(3)}`;
  await print(`\n${style.bold(output.output)}  ${countText(used)} of ${countText(planned)} ${unit}${r2}\n`);
  const columns: TextColumn[] = [
    { name: "index" },
    { name: "input" },
    { name: "value", align: "right" },
    { name: "±", align: "right" },
    { name: "" },
  ];
  const largest = Math.max(...output.indices.map(({ value }) => Math.abs(value ?? 0)), Number.MIN_VALUE);
  const shares = output.indices.every(({ index }) => /^S/.test(index));
  const rows = output.indices.map((own) => [
    own.index,
    inputText(own),
    numberText(own.value),
    numberText(own.halfWidth),
    bar(shares ? (own.value ?? 0) : Math.abs(own.value ?? 0) / largest, 24),
  ]);
  await print(`${tableText(columns, rows, { width: outputWidth(), header: style.dim }).text}\n`);
  for (const warning of output.warnings) note(warning);
}

function inputText({ input, with: other }: SensitivityIndex): string {
  return other === null ? input : `${input} × ${other}`;
}
