import { ScytheError } from "../errors.ts";
import type { AnyExperiment } from "../experiment/define.ts";
import { assertName } from "../experiment/names.ts";
import { didYouMean } from "../known-keys.ts";
import type { Results } from "../results/results.ts";
import { experimentId, isTimestamp, RunLayout } from "../run/layout.ts";
import { compareVersions, parseVersion, sortVersions } from "../run/version.ts";
import type { Storage } from "../storage/storage.ts";
import type { OpenHome } from "./home.ts";
import { openRun, type Run } from "./run.ts";

/** The versions and runs in a storage under one name, made by this package or by Python Scythe. */
export class Catalog<E extends AnyExperiment = AnyExperiment> {
  readonly name: string;
  readonly #storage: Storage;
  readonly #experiment: E | undefined;
  readonly #home: OpenHome | undefined;

  /** @internal */
  constructor(storage: Storage, name: string, experiment?: E, home?: OpenHome) {
    assertName(name, "A run name");
    this.name = name;
    this.#storage = storage;
    this.#experiment = experiment;
    this.#home = home;
  }

  /** Lowest first. */
  async listVersions(): Promise<string[]> {
    return sortVersions(await this.#storage.listFolders(`${this.name}/`));
  }

  /** The highest; undefined when there is no run. */
  async latestVersion(): Promise<string | undefined> {
    return (await this.listVersions()).at(-1);
  }

  /** `experiment_id`s, oldest first; of one version, or of all. */
  async listRuns(version?: string): Promise<string[]> {
    const versions = version === undefined ? await this.listVersions() : [version].filter(parseVersion);
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
    return openRun(this.#storage, await this.latestLayout(version), this.#experiment, this.#home);
  }

  /**
   * The layout of the latest run, without reading it.
   * @throws ScytheError `not_found`
   */
  async latestLayout(version?: string): Promise<RunLayout> {
    const wanted = version === undefined ? await this.listVersions() : [await this.#spelled(version)];
    for (const own of wanted.reverse()) {
      for (const id of (await this.listRuns(own)).reverse()) {
        const layout = RunLayout.parse(id)!;
        // a folder without a manifest is an allocation in progress, or one that was killed
        if (await this.#storage.head(layout.manifest)) return layout;
      }
    }
    const what = version ? `${this.name}@${version}` : this.name;
    const versions = version === undefined ? [] : await this.listVersions();
    const near = version === undefined ? "" : didYouMean(version, versions);
    throw new ScytheError("not_found", `No run of ${what} in ${this.#storage.uri}${near}`, {
      hint:
        versions.length > 0
          ? `It has ${versions.slice(-5).reverse().join(", ")}${versions.length > 5 ? ", …" : ""}.`
          : "`scythe list` shows all runs; `scythe run` makes one.",
    });
  }

  /** The version as spelled in its folder's name: `v1` finds `v1.0.0`. */
  async #spelled(version: string): Promise<string> {
    const wanted = parseVersion(version.startsWith("v") ? version : `v${version}`);
    if (!wanted) return version;
    const versions = await this.listVersions();
    return versions.find((name) => compareVersions(parseVersion(name)!, wanted) === 0) ?? version;
  }

  /** @throws ScytheError `not_found` */
  run(version: string, timestamp: string): Promise<Run<E>> {
    return openRun(this.#storage, new RunLayout({ name: this.name, version, timestamp }), this.#experiment, this.#home);
  }

  /** @throws ScytheError `not_found` when there is no run, or the latest is not complete */
  async latestResults(version?: string): Promise<Results<E>> {
    return (await this.latestRun(version)).openResults();
  }

  /** Table name → URI of its Parquet file, of the latest run. */
  async listResultsFiles(version?: string): Promise<Record<string, string>> {
    return (await this.latestResults(version)).listResultsFiles();
  }
}
