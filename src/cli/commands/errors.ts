import type { Command } from "commander";
import { FAILURE_KINDS, type FailedSpec, type FailureSummary, type Results } from "../../index.ts";
import { findResults, notePartial } from "../find-results.ts";
import { withStorage } from "../open-project.ts";
import { limitOption, type ProjectFlags, projectOptions, RUN_NAME } from "../options.ts";
import { note, outputWidth, print } from "../output.ts";
import { cellText, messageLine } from "../view/cell-text.ts";
import { folded } from "../view/display-width.ts";
import { firstRows, printJsonObject, type Row } from "../view/row-writer.ts";
import { type Style, styleFor } from "../view/style.ts";
import { tableText } from "../view/table-text.ts";
import { countText, plural } from "../view/units.ts";

export interface ErrorsFlags extends ProjectFlags {
  limit?: number;
  kind?: string;
}

const EXAMPLES = `
Examples:
  scythe errors projectile
  scythe errors projectile --kind timeout --limit 0`;

export function register(command: Command): void {
  command
    .description("Shows the failed specs of a run: grouped by what went wrong, then one by one.")
    .argument("<run>", RUN_NAME)
    .option("--kind <kind>", `only this kind: ${FAILURE_KINDS.join(", ")}`)
    .addOption(limitOption("failed specs that are shown (default: 20; with --json all)"))
    .addHelpText("after", EXAMPLES);
  projectOptions(command).action(async (run: string, flags: ErrorsFlags) => {
    await showErrors(run, flags);
  });
}

const SHOWN = 20;
/** Columns of a terminal below which a message has lines of its own. */
const NARROW = 80;
const MESSAGE_LINES = 4;
const SHOWN_GROUPS = 10;

export async function showErrors(reference: string, flags: ErrorsFlags): Promise<void> {
  await withStorage(flags, async (project) => {
    const results = await findResults(project, reference);
    const summary = await results.groupFailures();
    const which = flags.kind === undefined ? {} : { kind: flags.kind };
    if (flags.kind !== undefined && !(flags.kind in summary.by_kind)) await results.failures(which).next(); // throws for an unknown kind
    if (flags.json) {
      const head = {
        experiment_id: results.experimentId,
        partial: results.partial ?? null,
        ...summary,
      };
      return printJsonObject(head, "errors", firstRows(results.failures(which), flags.limit ?? 0));
    }
    notePartial(results);
    if (summary.failed === 0)
      return note(`${results.experimentId} has no failed specs${results.partial ? " so far" : ""}.`);
    await printGroups(results, summary, flags.kind);
    await printEntries(results, summary, flags);
  });
}

async function printGroups(results: Results, summary: FailureSummary, kind: string | undefined): Promise<void> {
  const style = styleFor(process.stdout);
  const allocated = results.report?.allocated ?? results.partial?.done;
  const of = allocated === undefined ? "" : ` of ${plural(allocated, "spec")}`;
  await print(`${style.bold(results.experimentId)}  ${style.red(`${countText(summary.failed)}${of} failed`)}\n\n`);
  const list = summary.groups.filter((group) => kind === undefined || group.kind === kind);
  const rows = list
    .slice(0, SHOWN_GROUPS)
    .map((group): Named => [countText(group.count), group.kind, messageLine(group.message)]);
  const columns = [{ name: "specs", align: "right" as const }, { name: "kind", paint: style.red }, { name: "such as" }];
  const width = outputWidth();
  const text = isNarrow(width)
    ? narrowText(
        rows.map(([count, ...rest]) => [`${count} ×`, ...rest]),
        width,
        style,
      )
    : tableText(columns, rows, { width, header: style.dim, indent: 2 }).text;
  await print(`${text}\n\n`);
  if (list.length > SHOWN_GROUPS)
    note(`${countText(list.length - SHOWN_GROUPS)} rarer sorts of failure are not shown.`);
}

async function printEntries(
  results: Results,
  summary: FailureSummary,
  { kind, limit = SHOWN }: ErrorsFlags,
): Promise<void> {
  const style = styleFor(process.stdout);
  const width = outputWidth();
  const shown: FailedSpec[] = [];
  for await (const entry of firstRows(results.failures(kind === undefined ? {} : { kind }), limit)) shown.push(entry);
  const text = isNarrow(width)
    ? narrowText(
        shown.map((entry) => [
          `spec ${cellText(entry.sort_index)}`,
          String(entry.kind),
          messageLine(String(entry.message)),
        ]),
        width,
        style,
      )
    : entriesText(shown, width, style);
  await print(`${text}\n`);
  const total = kind === undefined ? summary.failed : (summary.by_kind[kind] ?? 0);
  if (shown.length < total)
    note(`${countText(shown.length)} of ${countText(total)}; --limit 0 shows all, --json adds the stacks`);
}

function entriesText(shown: readonly FailedSpec[], width: number | undefined, style: Style): string {
  const rows = shown.map((entry) => [
    cellText(entry.sort_index),
    String(entry.kind),
    cellText(entry.attempts),
    messageLine(String(entry.message)),
    inputText(entry.input),
  ]);
  const columns = [
    { name: "spec", align: "right" as const },
    { name: "kind", paint: style.red },
    { name: "attempts", align: "right" as const },
    { name: "message" },
    { name: "input", paint: style.dim },
  ];
  return tableText(columns, rows, { width, header: style.dim, indent: 2 }).text;
}

function isNarrow(width: number | undefined): width is number {
  return width !== undefined && width < NARROW;
}

/** What failed, the kind of failure, and its message. */
type Named = [what: string, kind: string, message: string];

/** A message below what failed: there is no room next to it. */
function narrowText(rows: readonly Named[], width: number, style: Style): string {
  const lines = rows.flatMap(([what, kind, message]) => [
    `  ${what}  ${style.red(kind)}`,
    ...folded(message, Math.max(1, width - 4), MESSAGE_LINES).map((line) => `    ${line}`),
  ]);
  return lines.join("\n");
}

function inputText(input: Row): string {
  return Object.entries(input)
    .filter(([, value]) => value !== null && value !== undefined)
    .map(([name, value]) => `${name}=${cellText(value)}`)
    .join(" ");
}
