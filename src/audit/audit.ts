import type { AnyExperiment } from "../experiment/define.ts";
import type { Registry } from "../experiment/registry.ts";
import { assertKnownKeys, type Keys } from "../known-keys.ts";
import type { RunLayout } from "../run/layout.ts";
import { readManifest } from "../run/manifest.ts";
import type { Storage } from "../storage/storage.ts";
import { type DiffOptions, diffRuns, type RunDiff } from "./diff/diff.ts";
import type { RunPlace } from "./diff/two-runs.ts";
import { type Lineage, readLineage } from "./lineage.ts";
import { makeRepro, type Repro, type ReproOptions } from "./repro/repro.ts";
import { type Reproduction, reproduce } from "./repro/reproduce.ts";
import type { Rerunner } from "./repro/rerun.ts";
import type { Certificate } from "./verify/certificate.ts";
import { type VerifyOptions, verifyRun } from "./verify/verify.ts";

/** What looking back at runs needs beyond their storage. */
export interface AuditTools {
  /** The config file; undefined for a project opened on a bare object. */
  configPath: string | undefined;
  fetchUri: (uri: string) => Promise<string>;
  /** What runs specs of an experiment again. */
  rerunner: (experiment: AnyExperiment) => Rerunner;
  /** Finds a run in another storage. */
  elsewhere: (storage: string | Storage, reference: string) => Promise<RunPlace>;
}

/** Looking back at runs: are they whole, do they give the same again, what made them, how do two differ. */
export abstract class Audit {
  abstract readonly storage: Storage;
  abstract readonly registry: Registry;
  abstract readonly folder: string;

  /** Where the run that is named so lies; it may be damaged. @throws ScytheError `not_found` */
  abstract locate(reference: string): Promise<RunLayout>;

  protected abstract auditTools(): AuditTools;

  /**
   * Checks a run against all that it recorded of itself; with a sample, runs some of its specs again.
   * @throws ScytheError `not_found`; what is wrong with a run is told in the certificate
   */
  async verify(reference: string, options: VerifyOptions = {}): Promise<Certificate> {
    assertKnownKeys(options, { sample: true, seed: true } satisfies Keys<VerifyOptions>, "verify");
    const { registry, folder } = this;
    const { rerunner } = this.auditTools();
    return verifyRun(this.storage, await this.locate(reference), { registry, folder, rerunner }, options);
  }

  /**
   * Makes a folder in which one spec of a run can be run alone, under a debugger if wanted.
   * @throws ScytheError `conflict` when the folder holds anything
   */
  async repro(reference: string, sortIndex: number, options: ReproOptions = {}): Promise<Repro> {
    assertKnownKeys(options, { to: true } satisfies Keys<ReproOptions>, "repro");
    const { configPath = this.folder, fetchUri } = this.auditTools();
    const layout = await this.locate(reference);
    const { experiment_name } = await readManifest(this.storage, layout);
    const settings = { experiment: this.registry.get(experiment_name), project: configPath, fetchUri };
    return makeRepro(this.storage, layout, sortIndex, settings, options);
  }

  /** Runs the spec of a folder made by {@link repro} in this process, and compares it with what the run holds. */
  reproduce(folder: string): Promise<Reproduction> {
    return reproduce(folder, this.registry, this.auditTools().fetchUri);
  }

  /** What produced a run: code, environment, inputs, earlier runs. */
  async lineage(reference: string): Promise<Lineage> {
    return readLineage(this.storage, await this.locate(reference));
  }

  /**
   * Compares two runs: schemas, code, environment, inputs, and what the specs that both have gave.
   * @param options.storage where the second run lies, if elsewhere
   */
  async diff(a: string, b: string, options: DiffOptions & { storage?: string | Storage } = {}): Promise<RunDiff> {
    const known: Keys<typeof options> = { by: true, tolerance: true, storage: true };
    assertKnownKeys(options, known, "diff");
    const { storage } = options;
    const place = async (reference: string) => ({ storage: this.storage, layout: await this.locate(reference) });
    const other = storage === undefined ? place(b) : this.auditTools().elsewhere(storage, b);
    return diffRuns(await place(a), await other, options);
  }
}
