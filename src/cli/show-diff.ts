import { commitText } from "../audit/code-change.ts";
import type { ColumnDiff } from "../audit/diff/columns.ts";
import type { RunDiff } from "../audit/diff/diff.ts";
import { cellText, messageLine } from "./cell-text.ts";
import type { DiffFlags } from "./diff.ts";
import { pad } from "./display-width.ts";
import { EXIT } from "./exit.ts";
import { jsonText } from "./json-text.ts";
import { withStorage } from "./open-project.ts";
import { outputWidth, print } from "./output.ts";
import { type Style, styleFor } from "./style.ts";
import { tableText } from "./table-text.ts";
import { countText, plural } from "./units.ts";

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
