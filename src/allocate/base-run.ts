import pMap, { pMapSkip } from "p-map";
import { ScytheError } from "../errors.ts";
import type { KeptArtifact } from "../files/artifacts.ts";
import type { InheritedTables } from "../run/inherited-tables.ts";
import { readInputArtifacts } from "../run/input-artifacts.ts";
import type { RunLayout } from "../run/layout.ts";
import { detailsOf, type Manifest, type ManifestDetails, readManifest } from "../run/manifest.ts";
import { isComplete, type Report, readReport } from "../run/report.ts";
import { readState } from "../run/state.ts";
import { OUTPUT_FILES } from "../schema/base.ts";
import { localCopy } from "../storage/local-copy.ts";
import { listAll, type ObjectInfo, type Storage } from "../storage/storage.ts";
import { withDuckDb } from "../table/duckdb.ts";
import { parquetRows } from "../table/parquet-sql.ts";
import type { Move } from "../table/relocate.ts";
import type { StagedAfter } from "./stage.ts";

/** A complete run whose specs and rows another run inherits. */
export interface BaseRun {
  layout: RunLayout;
  manifest: Manifest;
  details: ManifestDetails;
  report: Report;
  artifacts: KeptArtifact[];
}

/** Objects copied concurrently: small ones wait for the network, not for the disk. */
const COPIES = 16;

/** @throws ScytheError `conflict` when the run is not complete */
export async function openBaseRun(storage: Storage, layout: RunLayout): Promise<BaseRun> {
  const manifest = await readManifest(storage, layout);
  const details = detailsOf(manifest);
  const [state, report] = await Promise.all([readState(storage, layout), readReport(storage, layout)]);
  if (!report || !isComplete(state, report)) throw notComplete(layout);
  return { layout, manifest, details, report, artifacts: await artifactsOf(storage, layout) };
}

async function artifactsOf(storage: Storage, layout: RunLayout): Promise<KeptArtifact[]> {
  const recorded = new Map((await readInputArtifacts(storage, layout)).map((artifact) => [artifact.path, artifact]));
  return (await listAll(storage, layout.artifacts)).map(({ key }) => {
    const path = layout.within(key);
    const [, field, file] = path.split("/") as [string, string, string];
    return { field, file, sha256: recorded.get(path)?.sha256, name: recorded.get(path)?.name };
  });
}

/** The specs of a base run, as a local file. */
export interface BaseSpecs {
  run: BaseRun;
  /** Path of its `specs.pq`. */
  specs: string;
  /** What the added specs depend on. */
  after: StagedAfter;
}

export async function baseSpecs(storage: Storage, run: BaseRun, scratch: string): Promise<BaseSpecs> {
  const specs = await localCopy(storage, run.layout.specs, scratch);
  const sql = `SELECT max(sort_index) + 1 AS next FROM ${parquetRows(specs)}`;
  const [row] = await withDuckDb({}, run.details.spec_count, (duck) => duck.rows(sql));
  const { artifacts, details } = run;
  return { run, specs, after: { sortIndex: Number(row!.next), extraColumns: details.extra_columns, artifacts } };
}

/** Maps references to the base run's own files to their copies in the extending run. */
export function movesBetween(storage: Storage, base: BaseRun, layout: RunLayout): Move[] {
  const [, written] = /^(.*)\/specs\.pq$/s.exec(base.manifest.specs_uri) ?? []; // its location when it was allocated
  const places = new Set([storage.uriOf(base.layout.experimentId), ...(written ? [written] : [])]);
  const to = storage.uriOf(layout.experimentId);
  return [...places].flatMap((from) =>
    ["artifacts", "results"].map((part) => ({ from: `${from}/${part}/`, to: `${to}/${part}/` })),
  );
}

/**
 * Copies the base run's tables and files into the extending run, which does not need the base run afterwards.
 * @throws ScytheError `conflict` when the base run was retried in the meantime
 */
export async function copyBase(storage: Storage, base: BaseRun, layout: RunLayout): Promise<void> {
  const { layout: from, report } = base;
  const copy = async ({ key }: ObjectInfo) => {
    await storage.copy(key, layout.key(from.within(key)));
    return pMapSkip;
  };
  for (const folder of [from.artifacts, from.results]) {
    // streams the listing without keeping it, as there may be a file per spec
    await pMap(storage.list(folder), copy, { concurrency: COPIES });
  }
  const tables = Object.keys(report.final);
  const copyTable = (table: string) => storage.copy(from.finalTable(table), layout.inheritedTable(table));
  await pMap(tables, copyTable, { concurrency: COPIES });
  const outputs = report.output_artifacts;
  if (outputs) await storage.copy(from.outputArtifacts, layout.inheritedTable(OUTPUT_FILES));
  const state = await readState(storage, from);
  if (!isComplete(state, report)) throw notComplete(from);
  const inherited: InheritedTables = {
    from: from.experimentId,
    moves: movesBetween(storage, base, layout),
    tables: { ...report.final, ...(outputs && { [OUTPUT_FILES]: outputs }) },
  };
  await storage.put(layout.inheritedTables, JSON.stringify(inherited));
}

function notComplete(layout: RunLayout): ScytheError {
  return new ScytheError("conflict", `Run ${layout.experimentId} is not complete, so it cannot be extended`, {
    hint: `Resume it first: scythe resume ${layout.experimentId}`,
  });
}
