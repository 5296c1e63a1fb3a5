import { join } from "node:path";
import { ScytheError } from "../../errors.ts";
import { readManifest } from "../../run/manifest.ts";
import type { DesignDescription } from "../../sampling/design/plan.ts";
import { RESERVED_COLUMNS } from "../../schema/base.ts";
import { withDuckDb } from "../../table/duckdb.ts";
import { withScratch } from "../../temporary.ts";
import { codeChange, type EnvironmentChange, environmentChanges } from "../code-change.ts";
import { type Lineage, readLineage } from "../lineage.ts";
import { type ColumnDiff, compareTable, type TableDiff } from "./columns.ts";
import { compareFiles, type FilesDiff } from "./files.ts";
import { type ArtifactsDiff, diffArtifacts, diffSchemas, type FieldChange, ioSpecOf } from "./schema.ts";
import {
  compareOutcomes,
  matchSpecs,
  type OutcomesDiff,
  openSides,
  type RunPlace,
  type Side,
  type SpecsDiff,
} from "./two-runs.ts";

/** How two runs are compared. */
export interface DiffOptions {
  /** What makes two specs the same one: what they ask (default), or their place in the run. */
  by?: "inputs" | "sort_index";
  /** Numbers this near are equal: |a − b| ≤ tolerance · max(1, |a|, |b|). Default 0. */
  tolerance?: number;
}

type CodeOf = Lineage["code"];

/** What two runs have in common, and what not. */
export interface RunDiff {
  a: { experiment_id: string; uri: string };
  b: { experiment_id: string; uri: string };
  /** Same fields, same specs, same outcomes within the tolerance. Code, environment and seed may differ. */
  equal: boolean;
  by: "inputs" | "sort_index";
  tolerance: number;
  schema: FieldChange[];
  code: { change: "same" | "changed" | "unknown"; a: CodeOf; b: CodeOf };
  environment: EnvironmentChange[];
  seed: { a: number | null; b: number | null };
  /** The designs that gave the specs; null for specs that were given. */
  design: { a: DesignDescription | null; b: DesignDescription | null };
  artifacts: ArtifactsDiff;
  specs: SpecsDiff;
  outcomes: OutcomesDiff;
  tables: TableDiff[];
  columns: ColumnDiff[];
  files: FilesDiff[];
}

const MEMORY_MB = 768;

/**
 * Compares two complete runs, of any size, by way of DuckDB.
 * @throws ScytheError `not_found` when one has no results, `storage` when one is damaged
 */
export async function diffRuns(a: RunPlace, b: RunPlace, options: DiffOptions = {}): Promise<RunDiff> {
  const by = options.by ?? "inputs";
  const tolerance = options.tolerance ?? 0;
  if (!(tolerance >= 0 && tolerance < 1)) {
    throw new ScytheError("invalid_input", `tolerance must be a number from 0 to below 1, not ${tolerance}`);
  }
  const lineages = [await readLineage(a.storage, a.layout), await readLineage(b.storage, b.layout)] as const;
  return withScratch("diff", async (scratch) => {
    const rows = await rowsOf(a, b);
    const session = { tempDir: join(scratch, "spill"), memoryMb: MEMORY_MB };
    const compared = await withDuckDb(session, rows, async (duck) => {
      const [left, right] = await openSides(duck, a, b, scratch);
      const [before, after] = [await ioSpecOf(a), await ioSpecOf(b)];
      const schema = diffSchemas(before, after, left, right);
      const specs = await matchSpecs(left, right, by);
      const outputs = Object.keys(before.output ?? {});
      return { schema, specs, ...(await compareTables(left, right, { by, tolerance, outputs, scratch })) };
    });
    const diff = { ...about(lineages, by, tolerance), artifacts: diffArtifacts(...lineages), ...compared };
    return { ...diff, equal: isEqual(diff) };
  });
}

interface Comparing {
  by: "inputs" | "sort_index";
  tolerance: number;
  outputs: readonly string[];
  scratch: string;
}

async function compareTables(left: Side, right: Side, { by, tolerance, outputs, scratch }: Comparing) {
  const { duck } = left;
  const outcomes = await compareOutcomes(left, right);
  const tables: TableDiff[] = [];
  const columns: ColumnDiff[] = [];
  const comparing = { tolerance, show: "largest", most: 3 } as const;
  const skipped = new Set(["specs", "errors", "result_file_refs"]);
  const names = [...left.tables.keys()].filter((name) => right.tables.has(name) && !skipped.has(name));
  if (by === "sort_index") names.unshift("specs"); // else they are equal by how they were matched
  for (const name of names) {
    const compared = await compareTable(duck, left, right, name, comparedColumns(left, right, name), comparing);
    tables.push(compared.table);
    columns.push(...compared.columns);
  }
  return { outcomes, tables, columns, files: await compareFiles(left, right, outputs, scratch) };
}

/** Values that both have: no ids, and no inputs, by which specs are matched. */
function comparedColumns(a: Side, b: Side, table: string): string[] {
  const isInput = (name: string) => table !== "specs" && [a, b].some((side) => side.tables.get("specs")!.has(name));
  const other = b.tables.get(table)!;
  return [...a.tables.get(table)!.keys()].filter(
    (name) => other.has(name) && !RESERVED_COLUMNS.has(name) && !isInput(name),
  );
}

function about([a, b]: readonly [Lineage, Lineage], by: "inputs" | "sort_index", tolerance: number) {
  const of = ({ experiment_id, uri }: Lineage) => ({ experiment_id, uri });
  const environments = a.environment && b.environment;
  return {
    a: of(a),
    b: of(b),
    by,
    tolerance,
    code: { change: codeChange(a.code, b.code), a: a.code, b: b.code },
    environment: environments
      ? environmentChanges({ ...a.code, ...a.environment! }, { ...b.code, ...b.environment! })
      : [],
    seed: { a: a.seed, b: b.seed },
    design: { a: a.specs.design, b: b.specs.design },
  };
}

function isEqual({ schema, specs, outcomes, tables, columns, files }: Omit<RunDiff, "equal">): boolean {
  return (
    schema.length === 0 &&
    specs.only_a + specs.only_b === 0 &&
    outcomes.failed_in_a_only + outcomes.failed_in_b_only + outcomes.kind_changed === 0 &&
    tables.every((table) => table.only_a + table.only_b === 0) &&
    columns.every((column) => column.different === 0) &&
    files.every((file) => file.different === 0)
  );
}

async function rowsOf(a: RunPlace, b: RunPlace): Promise<number> {
  const [left, right] = await Promise.all([a, b].map(({ storage, layout }) => readManifest(storage, layout)));
  return (left!.scythe?.spec_count ?? 1e6) + (right!.scythe?.spec_count ?? 1e6);
}
