import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import pMap, { pMapSkip } from "p-map";
import type { AnyExperiment } from "../../experiment/define.ts";
import { fingerprint } from "../../files/artifacts.ts";
import type { Column } from "../../schema/columns.ts";
import { localCopy, withLocalCopy } from "../../storage/local-copy.ts";
import { columnTypes } from "../../table/describe.ts";
import { parquetRows } from "../../table/parquet-sql.ts";
import { identifier } from "../../table/sql.ts";
import { describedHashes, type RecordedOutput, recordedOutputs } from "../../transfer/run-files.ts";
import { pathInRun, writeListing } from "../file-listing.ts";
import { type Expected, earlierErrors, lookFor, type Subject } from "./subject.ts";
import { fileOf, type Tables } from "./tables.ts";

/** Files that can be read on this machine: `whole` as their hash says, `unknown` where none was recorded. */
export interface LocalTables {
  whole: Map<string, string>;
  unknown: Map<string, string>;
}

interface Tally {
  whole: number;
  recorded: number;
  /** Not brought by the download. */
  absent: number;
}

const FILES_AT_ONCE = 4;
const OUTPUTS_AT_ONCE = 8;
const SHOWN = 3;

/** Compares every file that has a recorded hash with it. Returns the Parquet files among them, by path in the run. */
export async function verifyFiles(subject: Subject): Promise<LocalTables> {
  const { findings, scratch, foreign } = subject;
  await mkdir(join(scratch, "files"), { recursive: true });
  const tables: LocalTables = { whole: new Map(), unknown: new Map() };
  const expected = [...expectedFiles(subject), ...(await earlierErrors(subject))];
  const tally: Tally = { whole: 0, recorded: 0, absent: 0 };
  const check = async (file: Expected) => {
    if (file.sha256 !== undefined) tally.recorded++;
    await count(subject, tally, file.path, () => checkFile(subject, file, tables));
  };
  await pMap(expected, check, { concurrency: FILES_AT_ONCE });
  if (tally.recorded > 0) {
    findings.say("files", `${tally.whole} of ${tally.recorded} files have their recorded SHA-256`);
  }
  if (tally.absent > 0) {
    findings.unchecked("files", `${tally.absent} files were not brought by the download, and were not looked at`);
  }
  const none = findings.files.filter((file) => !file.recorded).length;
  if (none > 0) {
    findings.unchecked("files", `${none} files have no recorded SHA-256: only that they can be read is known`);
  }
  if (!foreign && tally.recorded === 0) findings.unchecked("files", "no hash could be read from the run");
  await verifyOutputs(subject);
  return tables;
}

/** The files that the run's records name, then any others in `final/` and `artifacts/`. */
function expectedFiles({ layout, objects, findings, report, manifest, artifacts }: Subject): Expected[] {
  const expected = new Map<string, Expected>();
  const expect = (path: string, sha256?: string, bytes?: number) => expected.set(path, { path, sha256, bytes });
  for (const [name, { bytes, sha256 }] of Object.entries(report?.final ?? {})) {
    expect(layout.within(layout.finalTable(name)), sha256, bytes);
  }
  for (const [key, sha256] of describedHashes(layout, manifest?.scythe ?? null)) expect(layout.within(key), sha256);
  for (const [path, sha256] of artifacts) expect(path, sha256);
  const specs = layout.within(layout.specs);
  if (!expected.has(specs)) expect(specs);
  for (const path of objects.keys()) {
    if (expected.has(path) || !/^(final|artifacts)\//.test(path)) continue;
    if (path.split("/").at(-1)!.startsWith(".")) continue; // what a file manager leaves is nothing of the run
    if (path.startsWith("final/") && report) findings.bad("files", path, "is none of the tables that report.yml names");
    else expect(path);
  }
  return [...expected.values()];
}

/** @param isWhole for a file that is there, whether it is as it was recorded */
async function count(subject: Subject, tally: Tally, path: string, isWhole: () => Promise<boolean>): Promise<void> {
  const found = lookFor(subject, "files", path);
  if (found === "left") tally.absent++;
  else if (found === "there" && (await subject.findings.attempt("files", path, isWhole))) tally.whole++;
}

async function checkFile(subject: Subject, file: Expected, tables: LocalTables): Promise<boolean> {
  const { storage, layout, scratch } = subject;
  const [key, folder] = [layout.key(file.path), join(scratch, "files")];
  if (!file.path.endsWith(".pq") || /^(artifacts|history)\//.test(file.path)) {
    return withLocalCopy(storage, key, folder, (local) => hasRecorded(subject, file, local, true));
  }
  const local = await localCopy(storage, key, folder);
  const whole = await hasRecorded(subject, file, local, true);
  if (file.sha256 === undefined) tables.unknown.set(file.path, local);
  else if (whole) tables.whole.set(file.path, local);
  return whole;
}

/** Whether a file has its recorded hash; that it has another is a finding. @param listed in the certificate */
async function hasRecorded({ findings }: Subject, file: Expected, local: string, listed: boolean): Promise<boolean> {
  const { path, sha256: recorded } = file;
  const { bytes, sha256 } = await fingerprint(local);
  if (listed) findings.files.push({ path, bytes, sha256, recorded: recorded !== undefined });
  if (recorded === undefined || sha256 === recorded) return recorded !== undefined;
  const sizes = file.bytes === undefined || file.bytes === bytes ? "" : `; it has ${bytes} of ${file.bytes} bytes`;
  findings.bad("files", path, `is damaged: its SHA-256 is not the recorded one${sizes}`);
  return false;
}

/**
 * Compares the files in `results/` with `output_artifacts.pq`, a few at a time however many there are. The certificate
 * lists that record alone: it has the hash of every file.
 */
async function verifyOutputs(subject: Subject): Promise<void> {
  const { storage, layout, objects, findings, scratch, report, foreign } = subject;
  if (foreign) return;
  const left = new Set([...objects.keys()].filter((path) => path.startsWith("results/")));
  const path = layout.within(layout.outputArtifacts);
  const recorded = report?.output_artifacts;
  if (recorded && lookFor(subject, "files", path) === "there") {
    await findings.attempt("files", path, () =>
      withLocalCopy(storage, layout.outputArtifacts, join(scratch, "files"), async (record) => {
        const whole = await hasRecorded(subject, { path, sha256: recorded.sha256, bytes: undefined }, record, true);
        if (whole) await compareOutputs(subject, record, left);
      }),
    );
  }
  if (left.size === 0) return;
  const some = [...left].slice(0, SHOWN).join(", ") + (left.size > SHOWN ? ", …" : "");
  const why = "no result names them, or the record of their hashes is not there";
  findings.unchecked("files", `${left.size} files in results/ have no recorded SHA-256 (${why}): ${some}`);
}

/** @param left paths in `results/`; those that are recorded are taken out */
async function compareOutputs(subject: Subject, record: string, left: Set<string>): Promise<void> {
  const { storage, layout, findings, scratch } = subject;
  const tally: Tally = { whole: 0, recorded: 0, absent: 0 };
  const check = async (output: RecordedOutput) => {
    tally.recorded++;
    left.delete(output.path);
    await count(subject, tally, output.path, () =>
      withLocalCopy(storage, layout.key(output.path), join(scratch, "files"), (local) =>
        hasRecorded(subject, output, local, false),
      ),
    );
    return pMapSkip; // there may be a file a spec
  };
  await pMap(recordedOutputs(record), check, { concurrency: OUTPUTS_AT_ONCE });
  findings.say("files", `${tally.whole} of ${tally.recorded} output files have theirs`);
  if (tally.absent > 0) {
    findings.unchecked(
      "files",
      `${tally.absent} output files were not brought by the download, and were not looked at`,
    );
  }
}

/** Every file of the run that a row names exists; files that no row names are counted. */
export async function verifyReferences(
  subject: Subject,
  tables: Tables,
  experiment: AnyExperiment | undefined,
): Promise<void> {
  const rows = placesOf(subject);
  const listing = await writeListing(join(subject.scratch, "listing.pq"), { path: "string", place: "string" }, rows);
  for (const name of ["result_file_refs", "specs"]) {
    const path = tables.paths.get(name);
    if (!path) continue;
    await subject.findings.attempt("references", fileOf(name), async () => {
      const types = await columnTypes(tables.duck, `FROM ${parquetRows(path)}`);
      for (const column of fileColumns(name, types, subject, experiment)) {
        const uris = types.get(column) === "VARCHAR[]" ? identifier(column) : `[${identifier(column)}]`;
        const refs = `SELECT sort_index, unnest(${uris}) AS uri FROM ${parquetRows(path)}`;
        await checkReferences(subject, tables, refs, listing, `${fileOf(name)}, ${column}`);
      }
    });
  }
}

/** What is there, and what a download brought that is there no more; each as URIs spell it. */
function* placesOf({ objects, brought }: Subject): Generator<{ path: string; place: string }> {
  const spellings = (path: string) => new Set([path, path.split("/").map(encodeURIComponent).join("/")]);
  for (const own of objects.keys()) {
    if (/^(results|artifacts)\//.test(own)) for (const path of spellings(own)) yield { path, place: "there" };
  }
  for (const own of brought ?? []) {
    if (!objects.has(own)) for (const path of spellings(own)) yield { path, place: "lost" };
  }
}

/** File columns by the code's schema, else by that of `experiment_io_spec.yml`. */
function fileColumns(
  table: string,
  types: ReadonlyMap<string, string>,
  { ioSpec }: Subject,
  experiment: AnyExperiment | undefined,
): string[] {
  const texts = [...types].filter(([, type]) => type === "VARCHAR" || type === "VARCHAR[]").map(([name]) => name);
  const own = experiment && [...experiment.columns.input, ...experiment.columns.files];
  if (own) return texts.filter((name) => own.some((column: Column) => column.name === name && column.file));
  const side = (ioSpec?.properties as Record<string, { properties?: Record<string, unknown> }> | undefined)?.[
    table === "specs" ? "input" : "output"
  ];
  return texts.filter((name) => JSON.stringify(side?.properties?.[name] ?? "").includes('"uri-reference"'));
}

/**
 * @param refs SQL of `sort_index` and `uri`
 * @param what names the column
 */
async function checkReferences(
  { layout, findings, brought }: Subject,
  { duck }: Tables,
  refs: string,
  listing: string,
  what: string,
): Promise<void> {
  const lostHere = brought === undefined ? "path IS NOT NULL AND coalesce(place, 'lost') = 'lost'" : "place = 'lost'";
  const [row] = await duck.rows(
    `WITH paths AS (SELECT sort_index, uri, ${pathInRun(layout, "uri")} AS path FROM (${refs}) WHERE uri IS NOT NULL),
     found AS (SELECT p.*, l.place FROM paths p LEFT JOIN ${listing} l USING (path))
     SELECT count(*) AS n, count(*) FILTER (WHERE path IS NULL) AS outside,
       count(*) FILTER (WHERE path IS NOT NULL AND place IS NULL) AS absent,
       count(*) FILTER (WHERE place = 'lost') AS lost,
       first(path ORDER BY sort_index) FILTER (WHERE ${lostHere}) AS example
     FROM found`,
  );
  const count = (name: string) => Number(row![name]);
  const [n, outside, absent, lost] = [count("n"), count("outside"), count("absent"), count("lost")];
  const gone = brought === undefined ? absent + lost : lost;
  if (gone > 0) {
    const others = gone > 1 ? ` (and ${gone - 1} more that ${what} names)` : ` (${what} names it)`;
    findings.bad("references", String(row!.example), `is missing${others}`);
  }
  if (absent > 0 && brought !== undefined) {
    findings.unchecked("references", `${what}: ${absent} files were not brought by the download`);
  }
  if (outside > 0) findings.unchecked("references", `${what}: ${outside} references lead out of the run`);
  findings.say("references", `${what}: ${n - outside - gone - (brought === undefined ? 0 : absent)} files are there`);
}
