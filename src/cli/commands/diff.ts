import { type Command, InvalidArgumentError, Option } from "commander";
import { type ColumnDiff, commitText, type RunDiff } from "../../index.ts";
import { EXIT } from "../exit.ts";
import { withStorage } from "../open-project.ts";
import { filled, type ProjectFlags, projectOptions, RUN_NAME } from "../options.ts";
import { outputWidth, print } from "../output.ts";
import { cellText, messageLine } from "../view/cell-text.ts";
import { designText } from "../view/design-text.ts";
import { pad } from "../view/display-width.ts";
import { jsonText } from "../view/json-text.ts";
import { type Style, styleFor } from "../view/style.ts";
import { tableText } from "../view/table-text.ts";
import { countText, plural } from "../view/units.ts";

export interface DiffFlags extends ProjectFlags {
  by: "inputs" | "sort_index";
  tolerance?: number;
  storageB?: string;
}

const EXAMPLES = `
Examples:
  scythe diff projectile@v1.0.0 projectile@v2.0.0
  scythe diff projectile@v1.0.0 projectile --tolerance 1e-9
  scythe diff projectile projectile --storage-b s3://my-bucket/scythe`;

export function register(command: Command): void {
  command
    .description(
      "Compares two complete runs. Specs are matched by their inputs. Exit code 0 when fields, specs and outcomes are equal, 3 when not; code, environment and seed may differ.",
    )
    .argument("<run>", RUN_NAME)
    .argument("<other>", "the run to compare with, named in the same way")
    .addOption(
      new Option("--by <what>", "what makes two specs the same one")
        .choices(["inputs", "sort_index"])
        .default("inputs"),
    )
    .addOption(
      new Option("--tolerance <t>", "numbers this close are equal: |a - b| <= t * max(1, |a|, |b|)").argParser(
        tolerance,
      ),
    )
    .option("--storage-b <where>", "the other run's storage, if it is another: a folder or URI", filled)
    .addHelpText("after", EXAMPLES);
  projectOptions(command).action(async (run: string, other: string, flags: DiffFlags) => {
    process.exitCode = await diff(run, other, flags);
  });
}

function tolerance(text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && value >= 0 && value < 1) return value;
  throw new InvalidArgumentError("It must be a number from 0 to below 1, such as 1e-9.");
}

const SHOWN = 10;

/** Compares two runs and prints how they differ. Returns the exit code. */
export async function diff(a: string, b: string, flags: DiffFlags): Promise<number> {
  return withStorage(flags, async (project) => {
    const found = await project.audit.diff(a, b, {
      by: flags.by,
      ...(flags.tolerance === undefined ? {} : { tolerance: flags.tolerance }),
      ...(flags.storageB === undefined ? {} : { storage: flags.storageB }),
    });
    await print(`${flags.json ? jsonText(found, 2) : diffText(found, styleFor(process.stdout))}\n`);
    return found.equal ? EXIT.ok : EXIT.findings;
  });
}

export function diffText(found: RunDiff, style: Style): string {
  const { a, b, code, specs, outcomes, seed } = found;
  const fact = (name: string, text: string) => `  ${style.dim(pad(name, 12))}  ${text}`;
  const rest = [
    specs.only_a > 0 && style.yellow(`${countText(specs.only_a)} only in a (${specs.examples_only_a.join(", ")} …)`),
    specs.only_b > 0 && style.yellow(`${countText(specs.only_b)} only in b (${specs.examples_only_b.join(", ")} …)`),
  ].filter((text) => text !== false);
  const lines = [
    `${style.bold(found.equal ? "equal" : "different")}  ${found.equal ? style.green("✓") : style.red("✗")}`,
    fact("a", a.experiment_id),
    fact("b", b.experiment_id),
    fact("specs", [`${countText(specs.matched)} matched by ${found.by}`, ...rest].join(" · ")),
    fact("outcomes", outcomesText(outcomes, style)),
    ...outcomes.examples.map((one) =>
      fact("", `spec ${one.sort_index_a} / ${one.sort_index_b}: ${one.a ?? "succeeded"} → ${one.b ?? "succeeded"}`),
    ),
    ...list("schema", found.schema.map(fieldText), fact),
    fact(
      "code",
      code.change === "same"
        ? `git ${commitText(code.a)}, the same`
        : `git ${commitText(code.a)} → ${commitText(code.b)}`,
    ),
    ...list(
      "environment",
      found.environment.map((one) => `${one.what} ${one.before} → ${one.after}`),
      fact,
    ),
    ...(seed.a === seed.b ? [] : [fact("seed", `${seed.a} → ${seed.b}`)]),
    ...designLines(found.design, fact),
    ...list("input files", artifactTexts(found), fact),
    "",
    columnsText(found.columns, style),
    ...examplesText(found.columns, style),
    ...tablesText(found, fact),
  ];
  return lines.join("\n").trimEnd();
}

type Fact = (name: string, text: string) => string;

function list(name: string, texts: readonly string[], fact: Fact): string[] {
  const shown = texts.slice(0, SHOWN).map((text, i) => fact(i === 0 ? name : "", messageLine(text)));
  return texts.length > SHOWN ? [...shown, fact("", `… and ${countText(texts.length - SHOWN)} more`)] : shown;
}

/** Of runs whose designs differ, or of which one has none. */
function designLines({ a, b }: RunDiff["design"], fact: Fact): string[] {
  const [before, after] = [a, b].map((design) => (design ? designText(design) : "specs that were given"));
  if (before !== after) return [fact("design", `${before} → ${after}`)];
  return (a?.space ?? []).flatMap((field, i) => {
    const other = b?.space.find(({ name }) => name === field.name)?.distribution ?? "left out";
    return other === field.distribution
      ? []
      : [fact(i === 0 ? "design" : "", `${field.name} ${field.distribution} → ${other}`)];
  });
}

function outcomesText(outcomes: RunDiff["outcomes"], style: Style): string {
  const { both_succeeded, both_failed, failed_in_a_only, failed_in_b_only, kind_changed } = outcomes;
  return [
    `${countText(both_succeeded)} succeeded in both`,
    both_failed > 0 && `${countText(both_failed)} failed in both`,
    failed_in_a_only > 0 && style.yellow(`${countText(failed_in_a_only)} failed in a alone`),
    failed_in_b_only > 0 && style.red(`${countText(failed_in_b_only)} failed in b alone`),
    kind_changed > 0 && style.yellow(`${countText(kind_changed)} failed otherwise`),
  ]
    .filter((text) => text !== false)
    .join(" · ");
}

function fieldText({ of, field, change, a, b }: RunDiff["schema"][number]): string {
  if (change !== "changed") return `${of}.${field} ${change}`;
  return `${of}.${field} ${JSON.stringify(a)} → ${JSON.stringify(b)}`;
}

function artifactTexts({ artifacts }: RunDiff): string[] {
  return [
    ...artifacts.changed.map(({ path }) => `${path} has another content`),
    ...artifacts.only_a.map((path) => `${path} only in a`),
    ...artifacts.only_b.map((path) => `${path} only in b`),
  ];
}

function columnsText(columns: readonly ColumnDiff[], style: Style): string {
  const rows = columns.map((own) => [
    own.table === "scalars" ? own.column : `${own.table}.${own.column}`,
    countText(own.equal),
    countText(own.near),
    countText(own.different),
    own.max_abs === null ? "–" : cellText(own.max_abs),
    own.max_rel === null ? "–" : cellText(own.max_rel),
  ]);
  const right = { align: "right" as const };
  const head = [
    { name: "output" },
    { name: "equal", ...right },
    { name: "near", ...right },
    {
      name: "different",
      ...right,
      paint: (text: string, row: number) => (columns[row]!.different > 0 ? style.red(text) : text),
    },
    { name: "max |a − b|", ...right },
    { name: "relative", ...right },
  ];
  return tableText(head, rows, { indent: 2, width: outputWidth(), header: style.dim }).text;
}

function examplesText(columns: readonly ColumnDiff[], style: Style): string[] {
  const texts = columns.flatMap(({ table, column, examples }) =>
    examples.slice(0, 1).map(({ sort_index_a, sort_index_b, sort_subindex, a, b }) => {
      const at = sort_subindex === null ? "" : `, row ${sort_subindex}`;
      const name = table === "scalars" ? column : `${table}.${column}`;
      return `  ${style.dim(`spec ${sort_index_a} / ${sort_index_b}${at}`)}  ${name}: ${a} → ${b}`;
    }),
  );
  return texts.length > 0 ? ["", ...texts.slice(0, SHOWN)] : [];
}

function tablesText({ tables, files }: RunDiff, fact: Fact): string[] {
  const rows = tables
    .filter(({ only_a, only_b }) => only_a + only_b > 0)
    .map(
      ({ table, only_a, only_b }) => `${table}: ${countText(only_a)} rows only in a, ${countText(only_b)} only in b`,
    );
  const contents = files.map(({ field, equal, different, by }) => {
    return `${field}: ${plural(equal, "file")} equal, ${countText(different)} different (by ${by})`;
  });
  const lines = [...list("rows", rows, fact), ...list("files", contents, fact)];
  return lines.length > 0 ? ["", ...lines] : [];
}
