import { assertKind } from "../experiment/retry.ts";
import type { Results } from "../results/results.ts";
import { cellText, messageLine } from "./cell-text.ts";
import { folded } from "./display-width.ts";
import type { ErrorEntry } from "./error-entry.ts";
import { ErrorGroups } from "./error-groups.ts";
import type { ErrorsFlags } from "./errors.ts";
import { failedSpecs } from "./failures.ts";
import { withStorage } from "./open-project.ts";
import { note, outputWidth, print } from "./output.ts";
import { firstRows, printJsonObject, type Row } from "./row-writer.ts";
import { findResults, notePartial } from "./show-results.ts";
import { type Style, styleFor } from "./style.ts";
import { tableText } from "./table-text.ts";
import { countText, plural } from "./units.ts";

const SHOWN = 20;
/** Columns of a terminal below which a message has lines of its own. */
const NARROW = 80;
const MESSAGE_LINES = 4;
const SHOWN_GROUPS = 10;

export async function showErrors(reference: string, flags: ErrorsFlags): Promise<void> {
  await withStorage(flags, async (project) => {
    const results = await findResults(project, reference);
    const groups = new ErrorGroups();
    for await (const { kind, message } of failedSpecs(results)) groups.add(String(kind), String(message));
    if (flags.kind !== undefined && !(flags.kind in groups.byKind)) assertKind(flags.kind);
    if (flags.json) {
      const head = {
        experiment_id: results.experimentId,
        partial: results.partial ?? null,
        failed: groups.total,
        by_kind: groups.byKind,
        groups: groups.list(),
      };
      return printJsonObject(head, "errors", firstRows(failedSpecs(results, flags.kind), flags.limit ?? 0));
    }
    notePartial(results);
    if (groups.total === 0)
      return note(`${results.experimentId} has no failed specs${results.partial ? " so far" : ""}.`);
    await printGroups(results, groups, flags.kind);
    await printEntries(results, groups, flags);
  });
}

async function printGroups(results: Results, groups: ErrorGroups, kind: string | undefined): Promise<void> {
  const style = styleFor(process.stdout);
  const allocated = results.report?.allocated ?? results.partial?.done;
  const of = allocated === undefined ? "" : ` of ${plural(allocated, "spec")}`;
  await print(`${style.bold(results.experimentId)}  ${style.red(`${countText(groups.total)}${of} failed`)}\n\n`);
  const list = groups.list().filter((group) => kind === undefined || group.kind === kind);
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
  groups: ErrorGroups,
  { kind, limit = SHOWN }: ErrorsFlags,
): Promise<void> {
  const style = styleFor(process.stdout);
  const width = outputWidth();
  const shown: ErrorEntry[] = [];
  for await (const entry of firstRows(failedSpecs(results, kind), limit)) shown.push(entry);
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
  const total = kind === undefined ? groups.total : (groups.byKind[kind] ?? 0);
  if (shown.length < total)
    note(`${countText(shown.length)} of ${countText(total)}; --limit 0 shows all, --json adds the stacks`);
}

function entriesText(shown: readonly ErrorEntry[], width: number | undefined, style: Style): string {
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

/** A message below what failed: beside it there is no room. */
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
