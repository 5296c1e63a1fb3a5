import { realpath } from "node:fs/promises";
import { sep } from "node:path";

/**
 * What a spec file may refer to. Its author chooses the references, which are read with the rights of the user who runs
 * it: a file from elsewhere must not bring private files, or other buckets, into a run.
 */
export interface Confinement {
  /** Folders, including everything below them. */
  folders: readonly string[];
  /** `s3://` buckets. */
  buckets: readonly string[];
  /** True for the URI of a file in one of the project's runs. */
  isRunFile?: (uri: string) => boolean;
}

/** Why the file of a `file://` URI may not be used; undefined when it may. Files of the project's runs may. */
export async function whyOutsideUri(confined: Confinement, uri: string, path: string): Promise<string | undefined> {
  return confined.isRunFile?.(uri) ? undefined : whyOutside(confined, path);
}

/** Why a file may not be used, by its real path; undefined when it may. */
export async function whyOutside({ folders }: Confinement, path: string): Promise<string | undefined> {
  const real = await realpath(path);
  for (const folder of folders) {
    const root = await realpath(folder).catch(() => undefined);
    if (root !== undefined && real.startsWith(root.endsWith(sep) ? root : root + sep)) return undefined;
  }
  const where = real === path ? path : `${path}, a link to ${real}`;
  return `is outside of the spec file's folder and the project (${where}); allow its folder with --allow-path <folder>, or allowPaths in the config`;
}

/** Why an `s3://` URI may not be used; undefined when it may. */
export function whyForeignBucket({ buckets }: Confinement, uri: string): string | undefined {
  const bucket = /^s3:\/\/([^/]*)/i.exec(uri)?.[1];
  if (bucket === undefined || buckets.includes(bucket)) return undefined;
  return `is in the bucket ${bucket}, which is not the run's; allow it in the config: allowBuckets: [${JSON.stringify(bucket)}]`;
}
