import type { Command } from "commander";
import type { Description, OutputDescription } from "../../index.ts";
import { findResults, notePartial } from "../find-results.ts";
import { withStorage } from "../open-project.ts";
import { filledList, type ProjectFlags, projectOptions, RUN_NAME } from "../options.ts";
import { note, outputWidth, print } from "../output.ts";
import { bar, sparkline } from "../view/bars.ts";
import { jsonText } from "../view/json-text.ts";
import { numberText } from "../view/number-text.ts";
import { styleFor } from "../view/style.ts";
import { type TextColumn, tableText } from "../view/table-text.ts";
import { countText, plural } from "../view/units.ts";

interface DescribeFlags extends ProjectFlags {
  output?: string[];
}

/** Correlations of an output that are shown. */
const SHOWN_INPUTS = 8;
/** Regions in which specs failed that are shown. */
const SHOWN_REGIONS = 8;

const EXAMPLES = `
Examples:
  scythe describe building_energy
  scythe describe building_energy --output heating cooling`;

export function register(command: Command): void {
  command
    .description(
      "Shows how each output is spread, how it correlates with each input, and in which regions of the inputs specs failed.",
    )
    .argument("<run>", RUN_NAME)
    .option("--output <name...>", "these outputs only", filledList)
    .addHelpText("after", EXAMPLES);
  projectOptions(command).action(async (run: string, flags: DescribeFlags) => describeRun(run, flags));
}

async function describeRun(reference: string, flags: DescribeFlags): Promise<void> {
  await withStorage(flags, async (project) => {
    const results = await findResults(project, reference);
    const description = await results.describe(flags.output === undefined ? {} : { outputs: flags.output });
    if (flags.json) return print(`${jsonText({ experiment_id: results.experimentId, ...description }, 2)}\n`);
    notePartial(results);
    const style = styleFor(process.stdout);
    const { planned, succeeded, failed } = description.specs;
    const counts = `${countText(succeeded)} of ${plural(planned, "spec")} succeeded, ${countText(failed)} failed`;
    await print(`${style.bold(results.experimentId)}  ${counts}\n\n`);
    await printOutputs(description.outputs);
    for (const output of description.outputs) await printCorrelations(output);
    await printFailures(description);
    for (const { name, reason } of description.skipped) note(`${name} ${reason}`);
  });
}

async function printOutputs(outputs: readonly OutputDescription[]): Promise<void> {
  if (outputs.length === 0) return note("No output is a number.");
  const columns: TextColumn[] = [
    { name: "output" },
    ...["n", "mean", "sd", "skew", "min", "5 %", "50 %", "95 %", "max"].map(
      (name): TextColumn => ({ name, align: "right" }),
    ),
    { name: "histogram" },
  ];
  const rows = outputs.map((own) => {
    const at = (p: number) => own.quantiles.find((quantile) => quantile.p === p)?.value ?? null;
    const numbers = [own.mean, own.sd, own.skew, own.min, at(0.05), at(0.5), at(0.95), own.max];
    return [own.output, countText(own.n), ...numbers.map(numberText), sparkline(own.histogram)];
  });
  await printTable(columns, rows);
}

async function printCorrelations({ output, correlations }: OutputDescription): Promise<void> {
  const strength = ({ spearman, pearson }: (typeof correlations)[number]) => Math.abs(spearman ?? pearson ?? 0);
  const known = correlations.filter(({ spearman, pearson }) => spearman !== null || pearson !== null);
  if (known.length === 0) return;
  const shown = known.sort((a, b) => strength(b) - strength(a)).slice(0, SHOWN_INPUTS);
  const columns: TextColumn[] = [
    { name: `${output} with` },
    { name: "Pearson", align: "right" },
    { name: "Spearman", align: "right" },
    { name: "" },
  ];
  const two = (value: number | null) => (value === null ? "–" : value.toFixed(2));
  await print("\n");
  await printTable(
    columns,
    shown.map((own) => [own.input, two(own.pearson), two(own.spearman), bar(strength(own), 20)]),
  );
}

async function printFailures({ failures }: Description): Promise<void> {
  const regions = failures.flatMap(({ input, regions: own }) =>
    own.map((region) => ({ ...region, where: `${input} ${regionText(region)}` })),
  );
  const worst = regions.filter(({ failed }) => failed > 0).sort((a, b) => b.share - a.share || b.failed - a.failed);
  if (worst.length === 0) return;
  const columns: TextColumn[] = [
    { name: "failed where" },
    { name: "failed", align: "right" },
    { name: "specs", align: "right" },
    { name: "share", align: "right" },
    { name: "" },
  ];
  await print("\n");
  await printTable(
    columns,
    worst
      .slice(0, SHOWN_REGIONS)
      .map(({ where, failed, specs, share }) => [
        where,
        countText(failed),
        countText(specs),
        `${(share * 100).toFixed(1)} %`,
        bar(share, 20),
      ]),
  );
}

function regionText({ low, high, level }: { low?: number; high?: number; level?: string | null }): string {
  if (level !== undefined) return `= ${level ?? "(none)"}`;
  return `${numberText(low ?? null)} … ${numberText(high ?? null)}`;
}

async function printTable(columns: readonly TextColumn[], rows: readonly (readonly string[])[]): Promise<void> {
  const style = styleFor(process.stdout);
  await print(`${tableText(columns, rows, { width: outputWidth(), header: style.dim }).text}\n`);
}
