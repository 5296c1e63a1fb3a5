import type { AnyExperiment } from "../experiment/define.ts";
import type { Registry } from "../experiment/registry.ts";
import { assertKnownKeys, type Keys } from "../known-keys.ts";
import type { RunLayout } from "../run/layout.ts";
import type { Storage } from "../storage/storage.ts";
import type { DiffOptions, RunDiff } from "./diff/diff.ts";
import type { RunPlace } from "./diff/two-runs.ts";
import type { Lineage } from "./lineage.ts";
import type { Repro, ReproOptions } from "./repro/repro.ts";
import type { Reproduction } from "./repro/reproduce.ts";
import type { Certificate } from "./verify/certificate.ts";
import type { Rerunner } from "./verify/rerun.ts";
import type { VerifyOptions } from "./verify/verify.ts";

/** What an audit asks of the project whose runs it looks at. */
export interface AuditedProject {
  storage: Storage;
  registry: Registry;
  folder: string;
  /** The config file; undefined for a project opened on a bare object. */
  configPath: string | undefined;
  /** Where the run that is named so lies; it may be damaged. @throws ScytheError `not_found` */
  locate: (reference: string) => Promise<RunLayout>;
  /** Fetches a file that a spec refers to; returns its path on this machine. */
  fetchUri: (uri: string) => Promise<string>;
  /** What runs specs of an experiment again. */
  rerunner: (experiment: AnyExperiment) => Promise<Rerunner>;
  /** @throws ScytheError `conflict` when the project is closed and can run nothing */
  assertOpen: () => void;
  /** Finds a run in another storage. */
  elsewhere: (storage: string | Storage, reference: string) => Promise<RunPlace>;
}

/**
 * Looking back at runs: are they whole, do they give the same again, what made them, how do two differ. A project has
 * it as `scythe.audit`. Runs are named as for `scythe.findRun`.
 */
export class Audit {
  readonly #project: AuditedProject;

  constructor(project: AuditedProject) {
    this.#project = project;
  }

  /**
   * Checks a run against all that it recorded of itself; with a sample, runs some of its specs again.
   * @throws ScytheError `not_found`; `conflict` for a sample when the project is closed; what is wrong with a run is in
   * the certificate
   */
  async verify(reference: string, options: VerifyOptions = {}): Promise<Certificate> {
    assertKnownKeys(options, { sample: true, seed: true } satisfies Keys<VerifyOptions>, "verify");
    const { storage, registry, folder, rerunner, assertOpen, locate } = this.#project;
    if (options.sample) assertOpen(); // every spec of the sample would fail, and the run would look damaged
    const { verifyRun } = await import("./verify/verify.ts");
    return verifyRun(storage, await locate(reference), { registry, folder, rerunner }, options);
  }

  /**
   * Makes a folder in which one spec of a run can be run alone, under a debugger if wanted.
   * @throws ScytheError `conflict` when the folder holds anything; `not_found` for a run or a spec that is not there
   */
  async repro(reference: string, sortIndex: number, options: ReproOptions = {}): Promise<Repro> {
    assertKnownKeys(options, { to: true } satisfies Keys<ReproOptions>, "repro");
    const { storage, registry, folder, configPath = folder, fetchUri, locate } = this.#project;
    const [{ makeRepro }, { readManifest }] = await Promise.all([
      import("./repro/repro.ts"),
      import("../run/manifest.ts"),
    ]);
    const layout = await locate(reference);
    const { experiment_name } = await readManifest(storage, layout);
    const settings = { experiment: registry.get(experiment_name), project: configPath, fetchUri };
    return makeRepro(storage, layout, sortIndex, settings, options);
  }

  /** Runs the spec of a folder made by {@link repro} in this process, and compares it with what the run holds. */
  async reproduce(folder: string): Promise<Reproduction> {
    const { reproduce } = await import("./repro/reproduce.ts");
    return reproduce(folder, this.#project.registry, this.#project.fetchUri);
  }

  /** What produced a run: code, environment, inputs, earlier runs. @throws ScytheError `not_found` */
  async lineage(reference: string): Promise<Lineage> {
    const { readLineage } = await import("./lineage.ts");
    return readLineage(this.#project.storage, await this.#project.locate(reference));
  }

  /**
   * Compares two complete runs: schemas, code, environment, inputs, and what the specs that both have gave.
   * @param options.storage where the second run lies, if elsewhere
   * @throws ScytheError `not_found`; `conflict` when one of them is not complete
   */
  async diff(a: string, b: string, options: DiffOptions & { storage?: string | Storage } = {}): Promise<RunDiff> {
    const known: Keys<typeof options> = { by: true, tolerance: true, storage: true };
    assertKnownKeys(options, known, "diff");
    const { storage, locate, elsewhere } = this.#project;
    const { diffRuns } = await import("./diff/diff.ts");
    const here = async (reference: string) => ({ storage, layout: await locate(reference) });
    const other = options.storage === undefined ? here(b) : elsewhere(options.storage, b);
    return diffRuns(await here(a), await other, options);
  }
}
