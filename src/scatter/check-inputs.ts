import pMap from "p-map";
import { ScytheError } from "../errors.ts";
import { hashFile } from "../files/artifacts.ts";
import { inputHashes, readInputArtifacts } from "../run/input-artifacts.ts";
import type { Storage } from "../storage/storage.ts";
import { damagedOf, FILES_AT_ONCE } from "./repair.ts";
import type { RunInfo } from "./run-task.ts";

/**
 * Checks a run's inputs, which cannot be made again, once per process that drives the run. (Downloads from a bucket are
 * checked against their hash on arrival.)
 * @throws ScytheError `storage` naming the file
 */
export async function checkInputs(storage: Storage, run: RunInfo): Promise<void> {
  if (storage.localPath) await run.findings.checkedInputs.get(() => compareInputs(storage, run));
}

async function compareInputs(storage: Storage, { layout, details, specs }: RunInfo): Promise<void> {
  const isSubset = specs !== layout.specs; // of a retry or an extension; it contains its own checksum
  if (isSubset && (await damagedOf(storage, [specs])).length > 0) throw damagedInput(storage, specs, "is damaged");
  await compare(storage, [
    { key: layout.specs, sha256: details.specs_sha256 },
    { key: layout.inputArtifacts, sha256: details.input_artifacts_sha256 },
  ]);
  const hashes = inputHashes(await readInputArtifacts(storage, layout));
  await compare(
    storage,
    [...hashes].map(([path, sha256]) => ({ key: layout.key(path), sha256 })),
  );
}

/** @param files those without a recorded hash pass: an earlier version made the run */
async function compare(storage: Storage, files: readonly { key: string; sha256: string | undefined }[]): Promise<void> {
  await pMap(
    files,
    async ({ key, sha256 }) => {
      if (sha256 === undefined) return;
      const found = await hashFile(storage.localPath!(key)).catch(() => "missing");
      if (found === sha256) return;
      const what = found === "missing" ? "is missing" : "is damaged: its SHA-256 is not the recorded one";
      throw damagedInput(storage, key, what);
    },
    { concurrency: FILES_AT_ONCE },
  );
}

export function damagedInput(storage: Storage, key: string, what: string): ScytheError {
  return new ScytheError("storage", `${storage.uriOf(key)} ${what}`, {
    hint: "Restore it from its source or from a copy of the run, then resume the run: finished work is kept.",
    details: { key },
  });
}
