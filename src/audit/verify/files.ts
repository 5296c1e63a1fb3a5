import { rm } from "node:fs/promises";
import { join } from "node:path";
import { eachOf, hashFile } from "../../files/artifacts.ts";
import { describedHashes } from "../../transfer/run-files.ts";
import { type About, type Expected, isThere, type Subject, wasBrought } from "./about.ts";
import type { Findings } from "./certificate.ts";
import { earlierErrors } from "./history.ts";

/** Files that can be read on this machine: `whole` as their hash says, `unknown` where none was recorded. */
export interface LocalTables {
  whole: Map<string, string>;
  unknown: Map<string, string>;
}

const AT_ONCE = 4;

/** Compares every file that has a recorded hash with it. Returns the Parquet files among them, by path in the run. */
export async function verifyFiles(subject: Subject, about: About): Promise<LocalTables> {
  const { findings } = subject;
  const tables: LocalTables = { whole: new Map(), unknown: new Map() };
  const expected = [...expectedFiles(subject, about), ...(await earlierErrors(subject, about))];
  const tally = { whole: 0, recorded: 0, absent: 0 };
  await eachOf(expected, AT_ONCE, async (file) => {
    if (file.sha256 !== undefined) tally.recorded++;
    if (!isThere(subject, file.path)) {
      if (wasBrought(subject, file.path)) findings.bad("files", file.path, "is missing");
      else tally.absent++;
      return;
    }
    const whole = await findings.attempt("files", file.path, () => checkFile(subject, file, tables));
    if (whole) tally.whole++;
  });
  tell(findings, tally, about);
  return tables;
}

function tell(findings: Findings, tally: { whole: number; recorded: number; absent: number }, about: About): void {
  if (tally.recorded > 0) {
    findings.say("files", `${tally.whole} of ${tally.recorded} files have their recorded SHA-256`);
  }
  if (tally.absent > 0) {
    findings.unchecked("files", `${tally.absent} files were not brought by the download, and were not looked at`);
  }
  const none = findings.files.filter((file) => !file.recorded).length;
  if (none > 0)
    findings.unchecked("files", `${none} files have no recorded SHA-256: only that they can be read is known`);
  if (!about.foreign && tally.recorded === 0) findings.unchecked("files", "no hash could be read from the run");
}

/** What the run's own records name, then what lies in `final/` and `artifacts/` beside that. */
function expectedFiles({ layout, objects, findings }: Subject, about: About): Expected[] {
  const expected = new Map<string, Expected>();
  const root = layout.key("");
  for (const [name, { bytes, sha256 }] of Object.entries(about.report?.final ?? {})) {
    const path = layout.finalTable(name).slice(root.length);
    expected.set(path, { path, sha256, bytes });
  }
  for (const [key, sha256] of describedHashes(layout, about.manifest?.scythe ?? null)) {
    const path = key.slice(root.length);
    expected.set(path, { path, sha256, bytes: undefined });
  }
  for (const [path, sha256] of about.artifacts) expected.set(path, { path, sha256, bytes: undefined });
  const specs = layout.specs.slice(root.length);
  if (!expected.has(specs)) expected.set(specs, { path: specs, sha256: undefined, bytes: undefined });
  for (const path of objects.keys()) {
    if (expected.has(path) || !/^(final|artifacts)\//.test(path)) continue;
    if (path.split("/").at(-1)!.startsWith(".")) continue; // what a file manager leaves is nothing of the run
    if (path.startsWith("final/") && about.report) {
      findings.bad("files", path, "is none of the tables that report.yml names");
    } else expected.set(path, { path, sha256: undefined, bytes: undefined });
  }
  return [...expected.values()];
}

async function checkFile(subject: Subject, file: Expected, tables: LocalTables): Promise<boolean> {
  const { storage, layout, objects, findings, scratch } = subject;
  const isTable = file.path.endsWith(".pq") && !/^(artifacts|history)\//.test(file.path);
  const { size } = objects.get(file.path)!;
  const key = layout.key(file.path);
  const local = storage.localPath?.(key) ?? join(scratch, "files", file.path.replaceAll("/", "_"));
  if (!storage.localPath) await storage.getFile(key, local);
  try {
    const sha256 = await hashFile(local);
    findings.files.push({ path: file.path, bytes: size, sha256, recorded: file.sha256 !== undefined });
    if (file.sha256 === undefined) {
      if (isTable) tables.unknown.set(file.path, local);
      return false;
    }
    if (sha256 === file.sha256) {
      if (isTable) tables.whole.set(file.path, local);
      return true;
    }
    const sizes = file.bytes === undefined || file.bytes === size ? "" : `; it has ${size} of ${file.bytes} bytes`;
    findings.bad("files", file.path, `is damaged: its SHA-256 is not the recorded one${sizes}`);
    return false;
  } finally {
    if (!storage.localPath && !isTable) await rm(local, { force: true });
  }
}
