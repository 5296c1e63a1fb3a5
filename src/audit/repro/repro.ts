import { copyFile, mkdir, readdir } from "node:fs/promises";
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from "node:path";
import { messageOf, ScytheError } from "../../errors.ts";
import type { AnyExperiment } from "../../experiment/define.ts";
import { hashFile, safeFileName } from "../../files/artifacts.ts";
import { inputHashes, readInputArtifacts } from "../../run/input-artifacts.ts";
import type { RunLayout } from "../../run/layout.ts";
import { detailsOf, readManifest } from "../../run/manifest.ts";
import type { Column } from "../../schema/columns.ts";
import type { Storage } from "../../storage/storage.ts";
import { type ReproSpec, writeReproFolder } from "./repro-folder.ts";
import { type StoredOutcome, storedOutcome, storedSpec } from "./stored-spec.ts";

/** Where the folder of a reproduction is made. */
export interface ReproOptions {
  /** New or empty; default `repro-<name>-<sort_index>` here. */
  to?: string;
}

/** A folder in which one spec of a run can be run alone. */
export interface Repro {
  folder: string;
  script: string;
  status: StoredOutcome["status"];
  /** What could not be brought, or is not as it was. */
  notes: string[];
}

export interface ReproSettings {
  experiment: AnyExperiment;
  /** The config file that the script loads, or its folder. */
  project: string;
  fetchUri: (uri: string) => Promise<string>;
}

/**
 * Makes a folder in which one spec of a run can be run alone, under a debugger if wanted. The spec comes from
 * `specs.pq`, so that it does not matter how it came out.
 * @throws ScytheError `conflict` when the folder holds anything, `not_found` for a spec that the run has not
 */
export async function makeRepro(
  storage: Storage,
  layout: RunLayout,
  sortIndex: number,
  settings: ReproSettings,
  options: ReproOptions = {},
): Promise<Repro> {
  const { experiment } = settings;
  const details = detailsOf(await readManifest(storage, layout));
  const folder = resolve(options.to ?? `repro-${layout.id.name}-${sortIndex}`);
  await assertEmpty(folder);
  const spec = await storedSpec(storage, layout, experiment, details, sortIndex);
  const notes: string[] = [];
  const stored = await storedOutcome(storage, layout, experiment, sortIndex).catch((error: unknown) => {
    notes.push(`How it came out could not be read: ${messageOf(error)}`);
    return undefined;
  });
  await mkdir(folder, { recursive: true });
  const hashes = inputHashes(await readInputArtifacts(storage, layout).catch(() => []));
  const inputs = new InputCopier(storage, layout, settings.fetchUri, folder, notes, hashes);
  const own: ReproSpec = {
    experiment: experiment.name,
    experiment_id: layout.experimentId,
    sort_index: sortIndex,
    seed: details.seed,
    attempt: stored?.error?.attempts ?? 1,
    schema_hash: details.schema_hash,
    spec: await inputs.bring(spec, experiment.columns.input),
  };
  const project = within(folder, settings.project);
  const status = stored?.status ?? "unknown";
  const script = await writeReproFolder(folder, { spec: own, stored, project, details, notes });
  return { folder, script, status, notes };
}

async function assertEmpty(folder: string): Promise<void> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw new ScytheError("invalid_input", `Cannot write to ${folder}: ${messageOf(error)}`, { cause: error });
  });
  if (names.length === 0) return;
  throw new ScytheError("conflict", `${folder} holds files already; nothing was written`, {
    hint: "Give --to a folder that is new or empty.",
  });
}

/** Copies input files into the folder, under names that lead nowhere else. */
class InputCopier {
  readonly #storage: Storage;
  readonly #layout: RunLayout;
  readonly #fetchUri: (uri: string) => Promise<string>;
  readonly #folder: string;
  readonly #notes: string[];
  readonly #hashes: ReadonlyMap<string, string>;

  constructor(
    storage: Storage,
    layout: RunLayout,
    fetchUri: (uri: string) => Promise<string>,
    folder: string,
    notes: string[],
    hashes: ReadonlyMap<string, string>,
  ) {
    this.#storage = storage;
    this.#layout = layout;
    this.#fetchUri = fetchUri;
    this.#folder = folder;
    this.#notes = notes;
    this.#hashes = hashes;
  }

  async bring(spec: Record<string, unknown>, columns: readonly Column[]): Promise<Record<string, unknown>> {
    const brought = { ...spec };
    for (const { name } of columns.filter((column) => column.file)) {
      const value = spec[name];
      if (typeof value === "string") brought[name] = await this.#one(name, value, "");
      if (Array.isArray(value)) {
        brought[name] = await Promise.all(
          value.map((uri: string | null, i) => (uri === null ? null : this.#one(name, uri, `${i}-`))),
        );
      }
    }
    return brought;
  }

  async #one(field: string, uri: string, prefix: string): Promise<string> {
    const path = join("inputs", safeFileName(field), prefix + safeFileName(basename(uri.replace(/[?#].*$/s, ""))));
    const target = join(this.#folder, path);
    try {
      await mkdir(dirname(target), { recursive: true });
      await this.#copy(uri, target);
      const recorded = this.#hashes.get(this.#layout.pathOf(uri) ?? "");
      if (recorded !== undefined && (await hashFile(target)) !== recorded) {
        this.#notes.push(`${path} is damaged: its SHA-256 is not the recorded one`);
      }
      return path.split(sep).join("/");
    } catch (error) {
      this.#notes.push(`${field} could not be brought from ${uri}: ${messageOf(error)}`);
      return uri;
    }
  }

  async #copy(uri: string, target: string): Promise<void> {
    const inRun = this.#layout.pathOf(uri);
    const key = inRun === undefined ? undefined : this.#layout.key(inRun);
    if (key !== undefined && (await this.#storage.head(key))) return this.#storage.getFile(key, target);
    await copyFile(await this.#fetchUri(uri), target); // which reads no file of this machine that is no run's
  }
}

/** The project's path from the folder: relative when it is in or next to the project, so that both can be moved. */
function within(folder: string, project: string): string {
  const path = relative(folder, project);
  const up = path.split(sep).filter((segment) => segment === "..").length;
  return isAbsolute(path) || up > 4 ? project : path.split(sep).join("/") || ".";
}
