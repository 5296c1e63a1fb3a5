import { bytesText } from "../bytes-text.ts";
import { isScytheError } from "../errors.ts";
import type { Scythe } from "../project.ts";
import { openResults } from "../results/results.ts";
import type { RunLayout } from "../run/layout.ts";
import type { ManifestDetails } from "../run/manifest.ts";
import { ownerText } from "../run/owner.ts";
import type { Run } from "../runs/run.ts";
import type { RunSizes } from "../transfer/run-sizes.ts";
import { pad } from "./display-width.ts";
import { countFailures } from "./failures.ts";
import { jsonText } from "./json-text.ts";
import { withStorage } from "./open-project.ts";
import type { ProjectFlags } from "./options.ts";
import { outputWidth, print } from "./output.ts";
import { paintStatus, type RunFiles, readRunFiles } from "./run-overview.ts";
import { sizesText } from "./run-sizes.ts";
import { placeOf } from "./run-summary.ts";
import { findResults } from "./show-results.ts";
import { type Style, styleFor } from "./style.ts";
import { inOrder } from "./table-order.ts";
import { tableText } from "./table-text.ts";
import { countText, durationText, plural, timeText } from "./units.ts";

interface FinalTable {
  name: string;
  rows: number | null;
  bytes: number | null;
  uri: string;
}

export async function showRun(reference: string, flags: ProjectFlags): Promise<void> {
  await withStorage(flags, async (project) => {
    const run = await project.findRun(reference);
    const layout = run.layout;
    const files = await readRunFiles(project.storage, layout);
    const tables = await finalTables(project, layout, files);
    const failures = await failuresOf(project, run, files);
    const sizes = await project.transfer.sizes(run.experimentId);
    if (flags.json) {
      const { overview, manifest, state = null, report = null, retried = null } = files;
      const { scythe, ...theirs } = manifest!;
      return print(
        `${jsonText({ ...overview, uri: run.uri, tables, sizes, failed_by_kind: failures, manifest: { ...theirs, ...scythe }, state, report, retried }, 2)}\n`,
      );
    }
    await print(`${sheet(run.uri, files, failures, tables, sizes, styleFor(process.stdout))}\n`);
  });
}

function partialFact({ overview, report }: RunFiles): [string, string][] {
  const { allocated, succeeded, failed } = overview;
  if (report || allocated === null) return [];
  const done = (succeeded ?? 0) + (failed ?? 0);
  return [
    [
      "partial",
      `${countText(done)} of ${plural(allocated, "spec")}; \`scythe results\` and \`scythe errors\` show them`,
    ],
  ];
}

type FailuresByKind = Readonly<Record<string, number>>;

/** From the report; of a run that is not complete, from its parts. */
async function failuresOf(project: Scythe, run: Run, { report, overview }: RunFiles): Promise<FailuresByKind> {
  if (report || !overview.failed) return report?.failed_by_kind ?? {};
  return (await countFailures(await findResults(project, run.experimentId))).byKind;
}

/** From the report; a run of Python Scythe has none, and its files are listed. */
async function finalTables(project: Scythe, layout: RunLayout, { report }: RunFiles): Promise<FinalTable[]> {
  if (report) {
    return inOrder(Object.entries(report.final), ([name]) => name).map(([name, { rows, bytes }]) => {
      return { name, rows, bytes, uri: project.storage.uriOf(layout.finalTable(name)) };
    });
  }
  const results = await openResults(project.storage, layout).catch((error: unknown) => {
    if (isScytheError(error) && error.code === "not_found") return undefined;
    throw error;
  });
  const files = await results?.listResultsFiles();
  return inOrder(Object.entries(files ?? {}), ([name]) => name).map(([name, uri]) => ({
    name,
    rows: null,
    bytes: null,
    uri,
  }));
}

function sheet(
  uri: string,
  files: RunFiles,
  failures: FailuresByKind,
  tables: readonly FinalTable[],
  sizes: RunSizes,
  style: Style,
): string {
  const { overview, manifest } = files;
  const facts: [string, string][] = [
    ["experiment", manifest!.experiment_name],
    ["where", placeOf(uri)],
    ["specs", countsText(files, style)],
    ...partialFact(files),
    ...kindsFact(failures),
    ...generationFacts(files),
    ...timeFacts(files),
    ...detailFacts(manifest!.scythe),
    ...engineFact(files),
  ];
  const lines = [
    `${style.bold(overview.experiment_id)}  ${paintStatus(style, overview, overview.status)}`,
    ...facts.map(([name, text]) => `  ${style.dim(pad(name, 10))}  ${text}`),
  ];
  if (tables.length > 0) lines.push("", tablesText(tables, style));
  lines.push("", sizesText(sizes, style, outputWidth()));
  return lines.join("\n");
}

function countsText({ overview, report }: RunFiles, style: Style): string {
  const { allocated, succeeded, failed } = overview;
  if (allocated === null) return "not counted (a run of Python Scythe)";
  const missing = report?.missing ?? allocated - (succeeded ?? 0) - (failed ?? 0);
  const parts = [`${countText(allocated)} allocated`, `${countText(succeeded ?? 0)} succeeded`];
  const bad = `${countText(failed ?? 0)} failed`;
  parts.push((failed ?? 0) > 0 ? style.red(bad) : bad);
  if (missing > 0) parts.push(style.yellow(`${countText(missing)} ${report ? "missing" : "not run yet"}`));
  return parts.join(style.dim(" · "));
}

function kindsFact(failures: FailuresByKind): [string, string][] {
  const kinds = Object.entries(failures);
  return kinds.length === 0 ? [] : [["failures", kinds.map(([kind, n]) => `${kind} ${countText(n)}`).join(" · ")]];
}

/** What each retry did, and how far the one at work is. */
function generationFacts({ report, state, retried }: RunFiles): [string, string][] {
  const facts = (report?.generations ?? [])
    .filter(({ generation }) => generation > 0)
    .map(({ generation, specs, succeeded, finished_at, ...chosen }): [string, string] => [
      `retry ${generation}`,
      `${plural(specs, "spec")}${chosenText(chosen)} · ${countText(succeeded)} recovered · ${timeText(finished_at)}`,
    ]);
  if (!retried || !state?.retry) return facts;
  const done = `${countText(retried.succeeded + retried.failed)} of ${plural(retried.specs, "spec")} done`;
  return [...facts, [`retry ${state.generation}`, `${done}${chosenText(state.retry)}; the tables are those of before`]];
}

function chosenText({ kinds, timeout_ms }: { kinds: string[] | null; timeout_ms: number | null }): string {
  const limit = timeout_ms === null ? "" : `, ${durationText(timeout_ms / 1000)} each at most`;
  return `${kinds ? ` (${kinds.join(", ")})` : ""}${limit}`;
}

function timeFacts({ manifest, report }: RunFiles): [string, string][] {
  const created = manifest?.scythe?.created_at;
  const facts: [string, string][] = created ? [["allocated", timeText(created)]] : [];
  if (report) facts.push(["finished", `${timeText(report.finished_at)}, after ${durationText(report.seconds)}`]);
  return facts;
}

function detailFacts(details: ManifestDetails | null | undefined): [string, string][] {
  if (!details) return [];
  const { environment, recursion, chunk_size, parent_run } = details;
  const commit = environment.git_commit;
  const dirty = environment.git_dirty ? ", with uncommitted changes" : "";
  const facts: [string, string][] = [
    ["seed", String(details.seed)],
    ["recursion", `factor ${recursion.factor}, max depth ${recursion.max_depth}`],
    ["chunks", chunk_size === null ? "measured" : `${countText(chunk_size)} specs`],
    ["code", commit ? `git ${commit.slice(0, 12)}${dirty}` : "not in a git repository"],
    ["with", `scythe ${environment.scythe}, Node ${environment.node.replace(/^v/, "")}, ${environment.platform}`],
  ];
  if (parent_run) facts.push(["parent", parent_run]);
  return facts;
}

function engineFact({ state, overview }: RunFiles): [string, string][] {
  if (!state?.engine) return [];
  const driven = (overview.status === "running" || overview.status === "paused") && state.owner;
  const by = driven ? `, driven by ${ownerText(state.owner!)}` : "";
  const facts: [string, string][] = [["engine", `${state.engine}${by}`]];
  if (state.max_failures) facts.push(["may fail", `${state.max_failures} of the specs`]);
  if (state.reason) facts.push(["stopped", state.reason]);
  return facts;
}

function tablesText(tables: readonly FinalTable[], style: Style): string {
  const rows = tables.map(({ name, rows, bytes }) => [
    name,
    rows === null ? "–" : countText(rows),
    bytes === null ? "–" : bytesText(bytes),
  ]);
  const columns = [
    { name: "table" },
    { name: "rows", align: "right" as const },
    { name: "size", align: "right" as const },
  ];
  return tableText(columns, rows, { indent: 2, width: outputWidth(), header: style.dim }).text;
}
