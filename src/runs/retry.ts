import { randomUUID } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { type AllocatedRun, assertSameSchema } from "../allocate/allocate.ts";
import { SPECS_ROW_GROUP } from "../allocate/publish.ts";
import { ScytheError } from "../errors.ts";
import type { AnyExperiment } from "../experiment/define.ts";
import { parseDuration } from "../experiment/quantities.ts";
import { assertKind } from "../experiment/retry.ts";
import { hashFile } from "../files/artifacts.ts";
import { assertKnownKeys, type Keys } from "../known-keys.ts";
import type { RunLayout } from "../run/layout.ts";
import { detailsOf } from "../run/manifest.ts";
import { ownerText, thisProcess } from "../run/owner.ts";
import { isComplete, type Report, readReport } from "../run/report.ts";
import { type RetryPlan, type RunState, readState, updateState } from "../run/state.ts";
import { ERRORS, errorNames } from "../scatter/final-columns.ts";
import { localCopy } from "../storage/local-copy.ts";
import type { Storage } from "../storage/storage.ts";
import { indexNames } from "../table/describe.ts";
import { type Duck, withDuckDb } from "../table/duckdb.ts";
import { addFileChecksum, CHECKSUM_KEY, CHECKSUM_PLACEHOLDER } from "../table/parquet-checksum.ts";
import { parquetFacts, parquetRows } from "../table/parquet-sql.ts";
import { ParquetReader } from "../table/read-parquet.ts";
import { identifier, literal } from "../table/sql.ts";
import { makeScratch } from "../temporary.ts";

/** Which failed specs run again, and for how long. */
export interface RetryOptions {
  /** Kinds of failure to retry; default all. */
  kind?: string | readonly string[];
  /** The `sort_index` of the failed specs to retry; default all. */
  specs?: readonly number[];
  /** Time limit per try, as "10m" or milliseconds, for this retry only. */
  timeout?: string | number;
}

interface Chosen {
  kinds: string[] | null;
  specs: number[] | null;
  timeoutMs: number | null;
}

/**
 * Makes a new generation of a complete run from its failed specs, ready to start. Until it is complete, tables and
 * report stay those of the previous generation. Returns how many specs it will run; with none, nothing changes.
 * @throws ScytheError `conflict` when the run is not complete, or another retry was first
 */
export async function beginRetry(
  storage: Storage,
  { layout, manifest }: AllocatedRun,
  experiment: AnyExperiment,
  options: RetryOptions,
): Promise<number> {
  const chosen = checkOptions(options);
  assertSameSchema(experiment, detailsOf(manifest), layout);
  const report = await completeReport(storage, layout);
  const attempt = randomUUID().slice(0, 8);
  const specs = layout.retriedSpecs(report.generation + 1, attempt);
  const count = await writeRetriedSpecs(storage, layout, report, chosen, specs);
  if (count === 0) return 0;
  const plan: RetryPlan = {
    attempt,
    count,
    kinds: chosen.kinds,
    timeout_ms: chosen.timeoutMs,
    started_at: new Date().toISOString(),
  };
  try {
    await raiseGeneration(storage, layout, report.generation, plan);
  } catch (error) {
    await storage.delete([specs]).catch(() => undefined); // report the first error, not this one
    throw error;
  }
  return count;
}

const OPTIONS: Keys<RetryOptions> = { kind: true, specs: true, timeout: true };

function checkOptions(options: RetryOptions): Chosen {
  assertKnownKeys(options, OPTIONS, "retry");
  const { kind, specs, timeout } = options;
  const kinds = kind === undefined ? null : [...new Set(typeof kind === "string" ? [kind] : kind)];
  for (const one of kinds ?? []) assertKind(one);
  const wrong = specs?.find((index) => !Number.isSafeInteger(index) || index < 0);
  if (wrong !== undefined) {
    throw new ScytheError("invalid_input", `${wrong} is not a sort_index`, {
      hint: "Give whole numbers, as `scythe errors` shows them.",
    });
  }
  return {
    kinds,
    specs: specs === undefined ? null : [...new Set(specs)],
    timeoutMs: timeout === undefined ? null : parseDuration(timeout, "timeout"),
  };
}

/** The `sort_index` of the specs that the last generation ran again; undefined when `gc` has removed them. */
export async function retriedSpecs(
  storage: Storage,
  layout: RunLayout,
  { generation, retry }: Pick<RunState, "generation" | "retry">,
): Promise<ReadonlySet<number> | undefined> {
  const key = retry && layout.retriedSpecs(generation, retry.attempt);
  if (!key || !(await storage.head(key))) return undefined;
  const folder = await makeScratch("retried");
  try {
    const reader = await ParquetReader.open(await localCopy(storage, key, folder));
    try {
      const indexes = (await reader.read(["sort_index"], 0, reader.rows)).get("sort_index")!;
      return new Set(Array.from(indexes as ArrayLike<number | bigint>, Number));
    } finally {
      reader.close();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** @throws ScytheError `conflict` when the run is not complete */
async function completeReport(storage: Storage, layout: RunLayout): Promise<Report> {
  const [state, report] = await Promise.all([readState(storage, layout), readReport(storage, layout)]);
  if (report && isComplete(state, report)) return report;
  const what = report ? `Generation ${state!.generation} of run ${layout.experimentId}` : `Run ${layout.experimentId}`;
  throw new ScytheError("conflict", `${what} is not complete`, {
    hint: `Resume it first: scythe resume ${layout.experimentId}`,
  });
}

/** Stores the specs that run again; returns their number. Stores nothing for none. */
async function writeRetriedSpecs(
  storage: Storage,
  layout: RunLayout,
  report: Report,
  chosen: Chosen,
  key: string,
): Promise<number> {
  if (report.failed === 0 && chosen.specs === null) return 0;
  const folder = await makeScratch("retry");
  try {
    const errors = await localCopy(storage, layout.finalTable(ERRORS), folder);
    if ((await hashFile(errors)) !== report.final[ERRORS]?.sha256) throw otherErrors(storage, layout);
    const specs = await localCopy(storage, layout.specs, folder);
    const target = join(folder, "retried.pq");
    return await withDuckDb({ tempDir: join(folder, "spill") }, report.allocated, async (duck) => {
      const failed = await failedSpecs(duck, errors, chosen, layout);
      await duck.run(
        `COPY (SELECT * FROM ${parquetRows(specs)} WHERE sort_index IN (${failed}) ORDER BY sort_index)
         TO ${literal(target)} (FORMAT parquet, COMPRESSION uncompressed, ROW_GROUP_SIZE ${SPECS_ROW_GROUP},
           KV_METADATA {${CHECKSUM_KEY}: ${literal(CHECKSUM_PLACEHOLDER)}})`,
        "Could not choose the failed specs",
      );
      const [row] = await duck.rows(`SELECT num_rows AS n FROM ${parquetFacts("file_metadata", target)}`);
      const count = Number(row!.n);
      if (count === 0) return 0;
      await addFileChecksum(target);
      await storage.putFile(key, target, { move: true });
      return count;
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * SQL of the `sort_index` of the chosen failed specs.
 * @throws ScytheError for a chosen spec that did not fail
 */
async function failedSpecs(duck: Duck, errors: string, { kinds, specs }: Chosen, layout: RunLayout): Promise<string> {
  const kind = identifier(errorNames(await indexNames(duck, errors)).kind);
  const ofKind = kinds ? `WHERE ${kind} IN (${kinds.map(literal).join(", ")})` : "";
  const failed = `SELECT sort_index FROM ${parquetRows(errors)} ${ofKind}`;
  if (!specs) return failed;
  const asked = `SELECT CAST(unnest([${specs.join(", ")}]) AS BIGINT) AS sort_index`;
  const others = await duck.rows(`${asked} EXCEPT (${failed}) ORDER BY sort_index LIMIT 20`);
  if (others.length === 0) return asked;
  const list = others.map(({ sort_index }) => String(sort_index)).join(", ");
  const how = kinds ? ` by ${kinds.join(" or ")}` : "";
  throw new ScytheError("invalid_input", `These specs of ${layout.experimentId} did not fail${how}: ${list}`, {
    hint: "Only failed specs run again; `scythe errors` lists them.",
  });
}

/** The one atomic step of a retry: of two concurrent ones, the second finds the generation raised. */
async function raiseGeneration(storage: Storage, layout: RunLayout, from: number, retry: RetryPlan): Promise<void> {
  await updateState(storage, layout, (state) => {
    if (state.generation !== from) {
      const { owner } = state;
      throw new ScytheError("conflict", `Another retry of run ${layout.experimentId} has started`, {
        hint: `It was started by ${owner ? ownerText(owner) : "another process"}. Watch it with: scythe watch ${layout.experimentId}`,
      });
    }
    return {
      status: "allocated",
      generation: from + 1,
      retry,
      epoch: state.epoch + 1, // the driver of the earlier generation can no longer commit
      engine_run_id: null,
      max_failures: null, // the limit applied to all specs
      reason: null,
      owner: thisProcess(),
    };
  });
}

function otherErrors(storage: Storage, layout: RunLayout): ScytheError {
  return new ScytheError(
    "storage",
    `${storage.uriOf(layout.finalTable(ERRORS))} differs from its record in report.yml`,
    {
      hint: "If another retry is running, wait for its end. Otherwise the file is damaged: restore it from a copy of the run.",
    },
  );
}
