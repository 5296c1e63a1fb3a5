import type { Command } from "commander";
import { bytesText } from "../../bytes-text.ts";
import type { ManifestDetails, ResultTable, RunDescription, RunSizes } from "../../index.ts";
import { withStorage } from "../open-project.ts";
import { type ProjectFlags, projectOptions, RUN_NAME } from "../options.ts";
import { outputWidth, print } from "../output.ts";
import { pad } from "../view/display-width.ts";
import { jsonText } from "../view/json-text.ts";
import { sizesText } from "../view/run-sizes.ts";
import { placeOf } from "../view/run-summary.ts";
import { paintStatus } from "../view/status.ts";
import { type Style, styleFor } from "../view/style.ts";
import { tableText } from "../view/table-text.ts";
import { countText, durationText, plural, timeText } from "../view/units.ts";

const EXAMPLES = `
Examples:
  scythe show projectile
  scythe show projectile@v1.0.0 --json`;

export function register(command: Command): void {
  command
    .description("Shows a run's manifest, state and report.")
    .argument("<run>", RUN_NAME)
    .addHelpText("after", EXAMPLES);
  projectOptions(command).action(async (run: string, flags: ProjectFlags) => {
    await showRun(run, flags);
  });
}

export async function showRun(reference: string, flags: ProjectFlags): Promise<void> {
  await withStorage(flags, async (project) => {
    const run = await project.findRun(reference);
    const about = await run.describe();
    const sizes = await project.transfer.sizes(run.experimentId);
    if (flags.json) {
      const { overview, manifest, state = null, report = null, retried = null, tables, failed_by_kind } = about;
      const { scythe, ...theirs } = manifest;
      const own = { ...theirs, ...scythe };
      const facts = { ...overview, uri: run.uri, tables, sizes, failed_by_kind, manifest: own, state, report, retried };
      return print(`${jsonText(facts, 2)}\n`);
    }
    await print(`${sheet(run.uri, about, sizes, styleFor(process.stdout))}\n`);
  });
}

function partialFact({ overview, report }: RunDescription): [string, string][] {
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

function sheet(uri: string, about: RunDescription, sizes: RunSizes, style: Style): string {
  const { overview, manifest, tables } = about;
  const facts: [string, string][] = [
    ["experiment", manifest.experiment_name],
    ["where", placeOf(uri)],
    ["specs", countsText(about, style)],
    ...partialFact(about),
    ...kindsFact(about),
    ...generationFacts(about),
    ...timeFacts(about),
    ...detailFacts(manifest.scythe),
    ...engineFact(about),
  ];
  const lines = [
    `${style.bold(overview.experiment_id)}  ${paintStatus(style, overview, overview.status)}`,
    ...facts.map(([name, text]) => `  ${style.dim(pad(name, 10))}  ${text}`),
  ];
  if (tables.length > 0) lines.push("", tablesText(tables, style));
  lines.push("", sizesText(sizes, style, outputWidth()));
  return lines.join("\n");
}

function countsText({ overview, report }: RunDescription, style: Style): string {
  const { allocated, succeeded, failed } = overview;
  if (allocated === null) return "not counted (a run of Python Scythe)";
  const missing = report?.missing ?? allocated - (succeeded ?? 0) - (failed ?? 0);
  const parts = [`${countText(allocated)} allocated`, `${countText(succeeded ?? 0)} succeeded`];
  const bad = `${countText(failed ?? 0)} failed`;
  parts.push((failed ?? 0) > 0 ? style.red(bad) : bad);
  if (missing > 0) parts.push(style.yellow(`${countText(missing)} ${report ? "missing" : "not run yet"}`));
  return parts.join(style.dim(" · "));
}

function kindsFact({ failed_by_kind }: RunDescription): [string, string][] {
  const kinds = Object.entries(failed_by_kind);
  return kinds.length === 0 ? [] : [["failures", kinds.map(([kind, n]) => `${kind} ${countText(n)}`).join(" · ")]];
}

/** What each retry did, and how far the current one is. */
function generationFacts({ report, state, retried }: RunDescription): [string, string][] {
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

function timeFacts({ manifest, report }: RunDescription): [string, string][] {
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

function engineFact({ state, driver }: RunDescription): [string, string][] {
  if (!state?.engine) return [];
  const by = driver === null ? "" : `, driven by ${driver}`;
  const facts: [string, string][] = [["engine", `${state.engine}${by}`]];
  if (state.max_failures) facts.push(["may fail", `${state.max_failures} of the specs`]);
  if (state.reason) facts.push(["stopped", state.reason]);
  return facts;
}

function tablesText(tables: readonly ResultTable[], style: Style): string {
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
