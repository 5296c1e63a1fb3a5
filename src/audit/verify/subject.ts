import { z } from "zod";
import { messageOf, ScytheError } from "../../errors.ts";
import { checksumState } from "../../run/checksum.ts";
import { historyGeneration, type RunLayout } from "../../run/layout.ts";
import { type Manifest, parseManifest } from "../../run/manifest.ts";
import type { Report } from "../../run/report.ts";
import type { RunState } from "../../run/state.ts";
import { parseYaml } from "../../run/yaml.ts";
import { getText, type ObjectInfo, type Storage } from "../../storage/storage.ts";
import { DownloadRecord } from "../../transfer/download-record.ts";
import type { CheckName, Findings } from "./certificate.ts";

/** What a run says of itself, as far as it can be read. */
interface Descriptions {
  manifest: Manifest | undefined;
  report: Report | undefined;
  state: RunState | undefined;
  ioSpec: Record<string, unknown> | undefined;
  /** Path within the run → recorded hash. */
  artifacts: Map<string, string>;
  /** Laid out by Python Scythe, which records no hashes and no counts. */
  foreign: boolean;
}

/** A run under examination, and what its records say. */
export interface Subject extends Descriptions, Opened {}

interface Opened {
  storage: Storage;
  layout: RunLayout;
  /** Every file that is there, by its path within the run. */
  objects: Map<string, ObjectInfo>;
  /** Paths that a download brought; undefined for a run that was not downloaded. */
  brought: Set<string> | undefined;
  findings: Findings;
  /** Folder for files that may be lost at any time. */
  scratch: string;
}

/** A file that a run's records speak of. */
export interface Expected {
  path: string;
  sha256: string | undefined;
  bytes: number | undefined;
}

const count = z.number().int().min(0);
const recordedFile = z.looseObject({ rows: count, bytes: count, sha256: z.string() });
const reportShape = z.looseObject({
  experiment_id: z.string(),
  generation: count,
  allocated: count,
  succeeded: count,
  failed: count,
  missing: count,
  final: z.record(z.string(), recordedFile),
  output_artifacts: recordedFile.optional(),
});
const stateShape = z.looseObject({ status: z.string(), epoch: count, generation: count });
const detailsShape = z.looseObject({
  seed: count,
  spec_count: count,
  schema_hash: z.string(),
  environment: z.looseObject({}),
  extra_columns: z.array(z.looseObject({ name: z.string() })),
});
const artifactsShape = z.looseObject({
  files: z.record(z.string(), z.array(z.string())),
  sha256: z.record(z.string(), z.string()).optional(),
});

/**
 * Lists the run's files and reads what describes it; what is missing, damaged or of another run is a finding.
 * @throws ScytheError `not_found` when there is no file
 */
export async function openSubject(
  storage: Storage,
  layout: RunLayout,
  findings: Findings,
  scratch: string,
): Promise<Subject> {
  const objects = new Map<string, ObjectInfo>();
  for await (const object of storage.list(layout.key(""))) objects.set(layout.within(object.key), object);
  if (objects.size === 0) {
    throw new ScytheError("not_found", `No run ${layout.experimentId} in ${storage.uri}`, {
      hint: "`scythe list` shows the runs there are.",
    });
  }
  const record = await DownloadRecord.open(storage, layout).catch(() => undefined);
  const brought = record?.found ? new Set(record.keys.map((key) => layout.within(key))) : undefined;
  objects.delete(layout.within(layout.download));
  const opened = { storage, layout, objects, brought, findings, scratch };
  return { ...opened, ...(await readDescriptions(opened)) };
}

/** Whether a file is there. `left`: a download left it at its source; `missing` is a finding. */
export function lookFor(
  { objects, brought, findings }: Opened,
  check: CheckName,
  path: string,
): "there" | "left" | "missing" {
  if (objects.has(path)) return "there";
  if (brought !== undefined && !brought.has(path)) return "left";
  findings.bad(check, path, "is missing");
  return "missing";
}

/**
 * What a run keeps of the generations before its last: a report each, which holds its own hash, and the errors of that
 * time, whose hash the report holds. Returns the errors; what is wrong with a report is a finding.
 */
export async function earlierErrors(subject: Subject): Promise<Expected[]> {
  const { layout, objects, report, foreign } = subject;
  if (foreign) return [];
  const found = [...objects.keys()].flatMap((path) => historyGeneration(path) ?? []);
  const generations = new Set([...found, ...Array.from({ length: report?.generation ?? 0 }, (_, i) => i)]);
  const errors: Expected[] = [];
  for (const generation of [...generations].sort((a, b) => a - b)) {
    const earlier = await earlierReport(subject, generation);
    const path = layout.within(layout.history(generation, "errors.pq"));
    const recorded = earlier?.final.errors;
    if (recorded) errors.push({ path, sha256: recorded.sha256, bytes: recorded.bytes });
    else if (objects.has(path)) errors.push({ path, sha256: undefined, bytes: undefined });
  }
  return errors;
}

async function earlierReport(subject: Subject, generation: number): Promise<Report | undefined> {
  const { layout, findings } = subject;
  const key = layout.history(generation, "report.yml");
  const path = layout.within(key);
  if (lookFor(subject, "descriptions", path) !== "there") return undefined;
  const report = sealedYaml(subject, key, await textOf(subject, key), reportShape) as Report | undefined;
  if (!report || (report.generation === generation && report.experiment_id === layout.experimentId)) return report;
  findings.bad("descriptions", path, `is of ${report.experiment_id}, generation ${report.generation}`);
  return undefined;
}

async function readDescriptions(subject: Opened): Promise<Descriptions> {
  const { layout, findings } = subject;
  const texts = new Map<string, string | undefined>();
  for (const key of [layout.manifest, layout.report, layout.state, layout.ioSpec, layout.inputArtifacts]) {
    texts.set(key, await textOf(subject, key));
  }
  const sealed = sealedText(subject, layout.manifest, texts.get(layout.manifest));
  const manifest = sealed === undefined ? undefined : parseManifest(sealed);
  if (sealed !== undefined && !manifest) findings.bad("descriptions", "manifest.yml", "is not a run's manifest");
  const foreign = isForeign(manifest, texts.get(layout.manifest), texts.get(layout.report), texts.get(layout.state));
  const report = sealedYaml(subject, layout.report, texts.get(layout.report), reportShape);
  const artifacts = yaml(subject, layout.inputArtifacts, texts.get(layout.inputArtifacts), artifactsShape);
  const about: Descriptions = {
    manifest,
    report: report as Report | undefined,
    state: sealedYaml(subject, layout.state, texts.get(layout.state), stateShape) as RunState | undefined,
    ioSpec: yaml(subject, layout.ioSpec, texts.get(layout.ioSpec), z.looseObject({})),
    artifacts: artifactHashes(layout, artifacts?.sha256 ?? {}),
    foreign,
  };
  checkDetails(subject, about);
  checkPresence(subject, about, texts);
  return about;
}

async function textOf({ storage, layout, findings }: Opened, key: string): Promise<string | undefined> {
  const path = layout.within(key);
  return (await findings.attempt("descriptions", path, () => getText(storage, key)))?.text;
}

/** Undefined for a text that is not as it was written. */
function sealedText({ layout, findings }: Opened, key: string, text: string | undefined): string | undefined {
  if (text === undefined || checksumState(text) !== "damaged") return text;
  const path = layout.within(key);
  findings.bad("descriptions", path, "is damaged: its SHA-256 is not the one in its first line");
  return undefined;
}

/** What a sealed description holds; that it is damaged, or not what it should be, is a finding. */
function sealedYaml<T>(subject: Opened, key: string, text: string | undefined, shape: z.ZodType<T>) {
  return yaml(subject, key, sealedText(subject, key, text), shape);
}

function yaml<T>({ layout, findings }: Opened, key: string, text: string | undefined, shape: z.ZodType<T>) {
  if (text === undefined) return undefined;
  const path = layout.within(key);
  try {
    const checked = shape.safeParse(parseYaml(text));
    if (checked.success) return checked.data;
    const [issue] = checked.error.issues;
    findings.bad("descriptions", path, `is damaged: ${issue!.path.join(".") || "the whole"}: ${issue!.message}`);
  } catch (error) {
    findings.bad("descriptions", path, `is damaged: ${messageOf(error).split("\n")[0]}`);
  }
  return undefined;
}

function isForeign(
  manifest: Manifest | undefined,
  text: string | undefined,
  report: string | undefined,
  state: string | undefined,
): boolean {
  if (!manifest || manifest.scythe || text === undefined) return false;
  return checksumState(text) === "none" && report === undefined && state === undefined;
}

function artifactHashes(layout: RunLayout, sha256: Record<string, string>): Map<string, string> {
  const hashes = Object.entries(sha256).map(([uri, hash]) => [layout.pathOf(uri), hash] as const);
  return new Map(hashes.filter((entry): entry is [string, string] => entry[0] !== undefined));
}

function checkDetails({ layout, findings }: Opened, about: Descriptions): void {
  const { manifest, report, foreign } = about;
  const ids = { "manifest.yml": manifest?.experiment_id, "report.yml": report?.experiment_id };
  for (const [file, id] of Object.entries(ids)) {
    if (id !== undefined && id !== layout.experimentId) findings.bad("descriptions", file, `is of another run: ${id}`);
  }
  if (!manifest || foreign) return;
  const details = detailsShape.safeParse(manifest.scythe ?? {});
  if (details.success) return;
  const names = [...new Set(details.error.issues.map((issue) => issue.path.join(".")))];
  findings.bad("descriptions", "manifest.yml", `is damaged: ${names.join(", ")} missing or not what it should be`);
  about.manifest = { ...manifest, scythe: null };
}

/** What a complete run must have. A run that is not complete is no damage, but cannot be verified either. */
function checkPresence(subject: Opened, about: Descriptions, texts: ReadonlyMap<string, string | undefined>): void {
  const { layout, findings, objects } = subject;
  const lost = (key: string) => texts.get(key) === undefined && !objects.has(layout.within(key));
  const names = about.foreign ? [layout.manifest, layout.ioSpec] : [...texts.keys()].filter((k) => k !== layout.report);
  for (const key of names.filter(lost)) findings.bad("descriptions", layout.within(key), "is missing");
  if (about.foreign) {
    findings.unchecked("descriptions", "a run of Python Scythe: it records no hashes, seeds or failures");
    return;
  }
  const { state, report } = about;
  if (lost(layout.report)) {
    const status = state?.status ?? "unknown";
    const problem = status === "complete" ? "is missing" : `is not there: the run is not complete (${status})`;
    findings.bad("descriptions", "report.yml", problem);
  }
  if (report && state && state.generation > report.generation) {
    findings.bad("descriptions", "report.yml", "is older than the retry that the run's state tells of: resume the run");
  }
  if (report && state && state.status !== "complete" && state.generation <= report.generation) {
    findings.bad("descriptions", "state.yml", `says ${state.status}, though the run has a report`);
  }
  findings.say("descriptions", `${[...texts.values()].filter((text) => text !== undefined).length} files read`);
}
