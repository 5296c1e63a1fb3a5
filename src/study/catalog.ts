import { ScytheError } from "../errors.ts";
import { type AnyExperiment, assertName } from "../experiment/define.ts";
import { openResults, type Results } from "../results/results.ts";
import { experimentId, isTimestamp, RunLayout } from "../run/layout.ts";
import { sortVersions } from "../run/version.ts";
import type { Storage } from "../storage/storage.ts";
import { openRun, type Run } from "./run.ts";

/** The versions and runs that storage holds under one name, whether this package or Python Scythe laid them out. */
export class Catalog<E extends AnyExperiment = AnyExperiment> {
  readonly name: string;
  readonly #storage: Storage;
  readonly #experiment: E | undefined;

  constructor(storage: Storage, name: string, experiment?: E) {
    assertName(name, "A run name");
    this.name = name;
    this.#storage = storage;
    this.#experiment = experiment;
  }

  /** Lowest first. */
  async listVersions(): Promise<string[]> {
    return sortVersions(await this.#storage.listFolders(`${this.name}/`));
  }

  async latestVersion(): Promise<string | undefined> {
    return (await this.listVersions()).at(-1);
  }

  /** `experiment_id`s, oldest first; of one version, or of all. */
  async listRuns(version?: string): Promise<string[]> {
    const versions = version === undefined ? await this.listVersions() : [version];
    const runs = await Promise.all(
      versions.map(async (own) => {
        const folders = await this.#storage.listFolders(`${this.name}/${own}/`);
        return folders
          .filter(isTimestamp)
          .map((timestamp) => experimentId({ name: this.name, version: own, timestamp }));
      }),
    );
    return runs.flat();
  }

  /** @throws ScytheError `not_found` */
  async latestRun(version?: string): Promise<Run<E>> {
    const wanted = version ?? (await this.latestVersion());
    const latest = wanted && (await this.listRuns(wanted)).at(-1);
    if (!latest) {
      const what = version ? `${this.name}@${version}` : this.name;
      throw new ScytheError("not_found", `No run of ${what} in ${this.#storage.uri}`, {
        hint: "`scythe list` shows what there is; `scythe run` makes one.",
      });
    }
    return this.run(wanted, latest.split("/")[2]!);
  }

  /** @throws ScytheError `not_found` */
  run(version: string, timestamp: string): Promise<Run<E>> {
    return openRun(this.#storage, new RunLayout({ name: this.name, version, timestamp }), this.#experiment);
  }

  async latestResults(version?: string): Promise<Results<E>> {
    const { experimentId: id } = await this.latestRun(version);
    const [, own, timestamp] = id.split("/") as [string, string, string];
    return openResults(this.#storage, new RunLayout({ name: this.name, version: own, timestamp }), this.#experiment);
  }

  /** Table name → URI of its Parquet file, of the latest run. */
  async listResultsFiles(version?: string): Promise<Record<string, string>> {
    return (await this.latestResults(version)).listResultsFiles();
  }
}
