import { randomInt } from "node:crypto";
import { join } from "node:path";
import { ScytheError } from "../../errors.ts";
import type { AnyExperiment } from "../../experiment/define.ts";
import type { Registry } from "../../experiment/registry.ts";
import { captureEnvironment, type Environment } from "../../run/environment.ts";
import type { RunLayout } from "../../run/layout.ts";
import type { Storage } from "../../storage/storage.ts";
import { type Duck, withDuckDb } from "../../table/duckdb.ts";
import { parquetRows } from "../../table/parquet-sql.ts";
import { withScratch } from "../../temporary.ts";
import { type Certificate, Findings, type SampleOutcome } from "./certificate.ts";
import { type LocalTables, verifyFiles, verifyReferences } from "./files.ts";
import type { Rerunner } from "./rerun.ts";
import { verifySample } from "./sample.ts";
import { sameSchema, verifySchema } from "./schema.ts";
import { openSubject, type Subject } from "./subject.ts";
import { type Tables, verifyTables } from "./tables.ts";

/** Which specs a verification also runs again. */
export interface VerifyOptions {
  /** Specs to run again, drawn at random, and compare. */
  sample?: number;
  /** Draws the sample; drawn itself, and said, when left out. */
  seed?: number;
}

export interface VerifySettings {
  registry: Registry;
  /** The project's, whose code is compared with the run's. */
  folder: string;
  rerunner: (experiment: AnyExperiment) => Promise<Rerunner>;
}

/** A file without a recorded hash is tried in a process of its own: however damaged, it may not end ours. */
const OWN_PROCESS = Number.MAX_SAFE_INTEGER;
const MEMORY_MB = 384;
const MOST_SAMPLED = 100_000;

/**
 * Checks a run against everything that it recorded of itself. What is wrong is named in the certificate and never
 * thrown; the checks go on as far as the rest can be read.
 * @throws ScytheError `not_found` when nothing is there
 */
export async function verifyRun(
  storage: Storage,
  layout: RunLayout,
  settings: VerifySettings,
  options: VerifyOptions = {},
): Promise<Certificate> {
  const size = wholeSample(options.sample ?? 0);
  const began = new Date();
  const findings = new Findings();
  return withScratch("verify", async (scratch) => {
    const subject = await openSubject(storage, layout, findings, scratch);
    const now = await captureEnvironment(settings.folder);
    const experiment = subject.manifest && settings.registry.find(subject.manifest.experiment_name);
    const same = sameSchema(subject, experiment, now);
    const known = same ? experiment : undefined;
    const paths = await readable(subject, await verifyFiles(subject));
    const session = { tempDir: join(scratch, "spill"), memoryMb: MEMORY_MB };
    const sample = await findings.attempt("tables", null, () =>
      withDuckDb(session, subject.manifest?.scythe?.spec_count ?? OWN_PROCESS, async (duck) => {
        const tables: Tables = { duck, paths };
        await verifyTables(subject, tables);
        await verifySchema(subject, tables, known);
        await verifyReferences(subject, tables, known);
        if (size === 0) return null;
        const seed = options.seed ?? randomInt(2 ** 47);
        return runSample(subject, tables, { size, seed, experiment: known, settings, now });
      }),
    );
    return certificate(subject, now, began, sample ?? null);
  });
}

interface Sampling {
  size: number;
  seed: number;
  experiment: AnyExperiment | undefined;
  settings: VerifySettings;
  now: Environment;
}

async function runSample(
  subject: Subject,
  tables: Tables,
  { size, seed, experiment, settings, now }: Sampling,
): Promise<SampleOutcome | null> {
  const { findings } = subject;
  if (!experiment || !tables.paths.has("specs") || !tables.paths.has("scalars")) {
    const why = experiment ? "specs or scalars cannot be read" : "the code with the run's schemas is not here";
    findings.bad("sample", null, `no spec could be run again: ${why}`);
    return null;
  }
  const rerunner = await settings.rerunner(experiment);
  const outcome = await findings.attempt("sample", null, () =>
    verifySample(subject, tables, { size, seed, experiment, rerunner, now }),
  );
  return outcome ?? null;
}

/** Tables by name; those without a recorded hash first, where their damage affects no others. */
async function readable({ findings, scratch }: Subject, { whole, unknown }: LocalTables): Promise<Map<string, string>> {
  const session = { tempDir: join(scratch, "spill"), memoryMb: MEMORY_MB };
  const tables = new Map([...whole].map(([path, local]) => [tableOf(path), local]));
  const untried = [...unknown];
  const tryUntilOneFails = async (duck: Duck): Promise<void> => {
    for (let next = untried[0]; next; next = untried[0]) {
      const [path, local] = next;
      untried.shift();
      const sql = `SELECT count(*), sum(hash(COLUMNS(*))) FROM ${parquetRows(local)}`;
      const read = await findings.attempt("files", path, () => duck.rows(sql));
      if (!read) return; // it may have taken the process with it
      tables.set(tableOf(path), local);
    }
  };
  while (untried.length > 0) await withDuckDb(session, OWN_PROCESS, tryUntilOneFails);
  return tables;
}

function tableOf(path: string): string {
  return path.replace(/^final\//, "").replace(/\.pq$/, "");
}

function certificate(
  { storage, layout, findings, manifest, report }: Subject,
  now: Environment,
  began: Date,
  sample: SampleOutcome | null,
): Certificate {
  const codeOf = ({ scythe, node, platform, git_commit, git_dirty }: Environment) => {
    return { scythe, node, platform, git_commit, git_dirty };
  };
  return {
    experiment_id: layout.experimentId,
    uri: storage.uriOf(layout.experimentId),
    result: findings.problems.length === 0 ? "verified" : "failed",
    verified_at: began.toISOString(),
    seconds: (Date.now() - began.getTime()) / 1000,
    by: codeOf(now),
    made_by: manifest?.scythe ? codeOf(manifest.scythe.environment) : null,
    seed: manifest?.scythe?.seed ?? null,
    generation: report?.generation ?? null,
    allocated: report?.allocated ?? manifest?.scythe?.spec_count ?? null,
    succeeded: report?.succeeded ?? null,
    failed: report?.failed ?? null,
    missing: report?.missing ?? null,
    problems: findings.problems,
    checks: findings.checks(),
    sample,
    files: findings.files.sort((a, b) => (a.path < b.path ? -1 : 1)),
  };
}

function wholeSample(size: number): number {
  if (Number.isSafeInteger(size) && size >= 0 && size <= MOST_SAMPLED) return size;
  throw new ScytheError("invalid_input", `sample must be a whole number from 0 to ${MOST_SAMPLED}, not ${size}`);
}
