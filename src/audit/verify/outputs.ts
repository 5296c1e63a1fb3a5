import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { fingerprint } from "../../files/artifacts.ts";
import { type RecordedOutput, recordedOutputs } from "../../transfer/recorded-outputs.ts";
import { type About, isThere, type Subject, wasBrought } from "./about.ts";

const AT_ONCE = 8;
const SHOWN = 3;

/**
 * Compares the files in `results/` with `output_artifacts.pq`, a few at a time however many there are. The certificate
 * lists that record alone: it has the hash of every file.
 */
export async function verifyOutputs(subject: Subject, about: About): Promise<void> {
  const { objects, findings } = subject;
  const left = new Set([...objects.keys()].filter((path) => path.startsWith("results/")));
  if (about.foreign) return;
  if (about.report?.output_artifacts) {
    const record = await findings.attempt("files", recordPath(subject), () =>
      wholeRecord(subject, about.report!.output_artifacts!.sha256),
    );
    if (record) await findings.attempt("files", recordPath(subject), () => compareAll(subject, record, left));
  }
  if (left.size === 0) return;
  const some = [...left].slice(0, SHOWN).join(", ") + (left.size > SHOWN ? ", …" : "");
  const why = "no result names them, or what would vouch for them is not there";
  findings.unchecked("files", `${left.size} files in results/ have no recorded SHA-256 (${why}): ${some}`);
}

/** The record on this machine; undefined when it cannot be trusted. */
async function wholeRecord(subject: Subject, expected: string): Promise<string | undefined> {
  const { layout, findings } = subject;
  const path = recordPath(subject);
  if (!isThere(subject, path)) {
    if (wasBrought(subject, path)) findings.bad("files", path, "is missing");
    return undefined;
  }
  const local = await localFile(subject, layout.outputArtifacts, "output_artifacts.pq");
  const { bytes, sha256 } = await fingerprint(local);
  findings.files.push({ path, bytes, sha256, recorded: true });
  if (sha256 === expected) return local;
  findings.bad("files", path, "is damaged: its SHA-256 is not the recorded one");
  return undefined;
}

/** @param left paths in `results/`; those that are recorded are taken out */
async function compareAll(subject: Subject, record: string, left: Set<string>): Promise<void> {
  const { findings } = subject;
  const tally = { whole: 0, recorded: 0, absent: 0 };
  const outputs = recordedOutputs(record);
  const lane = async (_: unknown, slot: number) => {
    for (let next = await outputs.next(); !next.done; next = await outputs.next()) {
      const output = next.value;
      tally.recorded++;
      left.delete(output.path);
      if (isThere(subject, output.path)) {
        const whole = await findings.attempt("files", output.path, () => isWhole(subject, output, `output-${slot}`));
        if (whole) tally.whole++;
      } else if (wasBrought(subject, output.path)) findings.bad("files", output.path, "is missing");
      else tally.absent++;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  findings.say("files", `${tally.whole} of ${tally.recorded} output files have theirs`);
  if (tally.absent > 0) {
    findings.unchecked(
      "files",
      `${tally.absent} output files were not brought by the download, and were not looked at`,
    );
  }
}

async function isWhole(subject: Subject, output: RecordedOutput, scratch: string): Promise<boolean> {
  const { storage, layout, findings } = subject;
  const local = await localFile(subject, layout.key(output.path), scratch);
  try {
    const { bytes, sha256 } = await fingerprint(local);
    if (sha256 === output.sha256) return true;
    const sizes = bytes === output.bytes ? "" : `; it has ${bytes} of ${output.bytes} bytes`;
    findings.bad("files", output.path, `is damaged: its SHA-256 is not the recorded one${sizes}`);
    return false;
  } finally {
    if (!storage.localPath) await rm(local, { force: true });
  }
}

async function localFile({ storage, scratch }: Subject, key: string, name: string): Promise<string> {
  if (storage.localPath) return storage.localPath(key);
  const folder = join(scratch, "outputs");
  await mkdir(folder, { recursive: true });
  await storage.getFile(key, join(folder, name));
  return join(folder, name);
}

function recordPath({ layout }: Subject): string {
  return layout.outputArtifacts.slice(layout.key("").length);
}
