import pMap from "p-map";
import { ScytheError } from "../errors.ts";
import { assertKnownKeys, type Keys } from "../known-keys.ts";
import { RunLayout } from "../run/layout.ts";
import type { Storage } from "../storage/storage.ts";
import type { Garbage } from "./collect-garbage.ts";
import type { Downloaded, DownloadOptions } from "./download.ts";
import type { RunSizes } from "./run-sizes.ts";
import type { TransferOptions, TransferProgress } from "./transfer.ts";

/** What transfers need from the project. */
export interface TransferringProject {
  storage: Storage;
  /** @throws ScytheError `not_found` */
  locate: (reference: string) => Promise<RunLayout>;
  /** `experiment_id`s of one name, or of all that storage has. @throws ScytheError `not_found` for an unknown name */
  listRuns: (name: string | undefined) => Promise<string[]>;
  /** The storage that a setting names; @throws ScytheError `invalid_input` */
  openStorage: (where: string) => Promise<Storage>;
}

/** How a run is copied. */
export type CopyOptions = Pick<TransferOptions, "concurrency" | "onProgress" | "signal">;

/** The result of a copy, and the run's new location. */
export interface Copied extends TransferProgress {
  experimentId: string;
  /** The URI of the copy. */
  uri: string;
  /** Files in the run's folder that do not belong to a run and are not copied. */
  leftOut: string[];
}

/** Which runs are cleared, and whether. */
export interface GarbageOptions {
  /** Only runs of one experiment or run name; default all. */
  name?: string;
  /** Delete the garbage; by default it is only counted. */
  remove?: boolean;
}

/** Runs checked or cleared concurrently. */
const AT_ONCE = 8;

/**
 * Copies runs to other places and removes what they no longer need. A project has it as `scythe.transfer`. Runs are
 * named as for `scythe.findRun`.
 */
export class Transfers {
  readonly #project: TransferringProject;

  constructor(project: TransferringProject) {
    this.#project = project;
  }

  /**
   * Downloads a run to a folder, which is then a storage like any other: `openProject(…, { storage: folder })` reads
   * it. Files are not changed, so the hashes hold. Files of an earlier download are skipped.
   * @throws ScytheError `not_found` when nothing matches, `conflict` when the folder has such a run that was not
   * downloaded, `storage` when some files could not be downloaded, `cancelled` when the signal was aborted
   */
  async download(
    reference: string,
    folder: string,
    options: DownloadOptions = {},
  ): Promise<Downloaded & { experimentId: string }> {
    const known: Keys<DownloadOptions> = { what: true, field: true, concurrency: true, onProgress: true, signal: true };
    assertKnownKeys(options, known, "download");
    assertConcurrency(options.concurrency);
    const layout = await this.#project.locate(reference);
    const target = await this.#project.openStorage(folder);
    if (!isFolder(target)) {
      throw new ScytheError("invalid_input", `Cannot download to ${folder}: it is no folder`, {
        hint: "Give a folder of this machine; `copy` brings a run to another storage.",
      });
    }
    const { downloadRun } = await import("./download.ts");
    const done = await downloadRun(this.#project.storage, layout, target, options);
    return { experimentId: layout.experimentId, ...done };
  }

  /**
   * Copies a complete run to another storage; its tables then refer to the files of the copy.
   * @param target a storage, a folder, or `s3://bucket/prefix`
   * @throws ScytheError `conflict` when the target has the run, or the run is not complete; `storage` when some files
   * could not be copied; `cancelled` when the signal was aborted
   */
  async copy(reference: string, target: string | Storage, options: CopyOptions = {}): Promise<Copied> {
    const known: Keys<CopyOptions> = { concurrency: true, onProgress: true, signal: true };
    assertKnownKeys(options, known, "copy");
    assertConcurrency(options.concurrency);
    const layout = await this.#project.locate(reference);
    const storage = typeof target === "string" ? await this.#project.openStorage(target) : target;
    const { copyRun } = await import("./copy-run.ts");
    const done = await copyRun(this.#project.storage, layout, storage, options);
    return { experimentId: layout.experimentId, uri: storage.uriOf(layout.experimentId), ...done };
  }

  /**
   * What the trees (`scatter-gather/`) of complete runs needed and their results do not, by run; logs of failed specs
   * are kept. Incomplete runs are listed without garbage.
   * @throws ScytheError `not_found` for an unknown name
   */
  async collectGarbage(options: GarbageOptions = {}): Promise<Garbage[]> {
    assertKnownKeys(options, { name: true, remove: true } satisfies Keys<GarbageOptions>, "collectGarbage");
    const ids = await this.#project.listRuns(options.name);
    const { collectGarbage } = await import("./collect-garbage.ts");
    const remove = options.remove ?? false;
    const collect = (id: string) => collectGarbage(this.#project.storage, RunLayout.parse(id)!, remove);
    return pMap(ids, collect, { concurrency: AT_ONCE });
  }

  /**
   * The size of a run in storage, in total and by part.
   * @throws ScytheError `not_found`
   */
  async sizes(reference: string): Promise<RunSizes> {
    const [{ listRunFiles }, { runSizes }] = await Promise.all([import("./run-files.ts"), import("./run-sizes.ts")]);
    return runSizes(await listRunFiles(this.#project.storage, await this.#project.locate(reference)));
  }
}

function assertConcurrency(concurrency: number | undefined): void {
  if (concurrency === undefined || (Number.isInteger(concurrency) && concurrency >= 1)) return;
  throw new ScytheError("invalid_input", `concurrency must be a whole number from 1, not ${concurrency}`, {
    hint: "It is the number of files that are copied at the same time; leave it out for the default.",
  });
}

function isFolder(storage: Storage): storage is Storage & Required<Pick<Storage, "localPath">> {
  return storage.localPath !== undefined;
}
