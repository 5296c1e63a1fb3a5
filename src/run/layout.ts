/**
 * Every key of a run. No other module builds or parses keys.
 * Names and folders are those of Python Scythe, whose readers list folders and raise on names they cannot parse: an
 * experiment's folder holds only versions, and a version's folder only timestamps.
 */

/**
 * One step of a node's path in the tree: the node holds every `factor`-th position of its parent, starting at `offset`.
 */
export type PathStep = {
  factor: number;
  offset: number;
};
/** From the root to a node; the root's is empty. */
export type NodePath = readonly PathStep[];

/** What names a run. */
export interface RunId {
  /** The experiment's name, or the run name given instead. */
  name: string;
  version: string;
  /** UTC, `YYYY-MM-DD_HH-MM-SS`. */
  timestamp: string;
}

/** `<name>/<version>/<timestamp>`: the `experiment_id` of every row. */
export function experimentId(id: RunId): string {
  return `${id.name}/${id.version}/${id.timestamp}`;
}

export function parseExperimentId(text: string): RunId | undefined {
  const [name, version, timestamp, ...rest] = text.replace(/\/$/, "").split("/");
  if (!name || !version || !timestamp || rest.length > 0 || !isTimestamp(timestamp)) return undefined;
  if (![name, version].every((segment) => /^[A-Za-z0-9][A-Za-z0-9_.+-]{0,127}$/.test(segment))) return undefined;
  return { name, version, timestamp };
}

export function isTimestamp(text: string): boolean {
  return /^\d{4}-\d{2}-\d{2}_\d{2}-\d{2}-\d{2}$/.test(text);
}

/** A time as a folder name, in whole seconds as in Python Scythe. */
export function timestampOf(date: Date): string {
  return date.toISOString().slice(0, 19).replace("T", "_").replaceAll(":", "-");
}

export function dateOfTimestamp(timestamp: string): Date {
  const [day, time] = timestamp.split("_");
  return new Date(`${day}T${time!.replaceAll("-", ":")}Z`);
}

/** A file rather than a folder, so that a claim alone does not look like a version. */
export function versionClaimKey(name: string, version: string): string {
  return `${name}/${version}.claim`;
}

/** A part of a run: the rows of positions `from` … `to` − 1 of a node. `ok` specs succeeded, `failed` did not. */
export interface PartName {
  generation: number;
  from: number;
  to: number;
  ok: number;
  failed: number;
}

/** The keys of a run's files in its storage. */
export class RunLayout {
  readonly id: RunId;
  readonly experimentId: string;

  constructor(id: RunId) {
    this.id = id;
    this.experimentId = experimentId(id);
  }

  /** The layout of the run with this `experiment_id`; undefined when the text is not one. */
  static parse(text: string): RunLayout | undefined {
    const id = parseExperimentId(text);
    return id && new RunLayout(id);
  }

  /** `path` within the run → key in the storage. */
  key(path: string): string {
    return `${this.experimentId}/${path}`;
  }

  /** Key of a file of this run → its path within the run. */
  within(key: string): string {
    return key.slice(this.experimentId.length + 1);
  }

  /**
   * The path within this run that a URI points to, wherever the run was when the URI was written; undefined when it
   * points elsewhere.
   */
  pathOf(uri: string): string | undefined {
    const at = uri.indexOf(`/${this.experimentId}/`);
    return at < 0 ? undefined : uri.slice(at + this.experimentId.length + 2);
  }

  get manifest(): string {
    return this.key("manifest.yml");
  }
  get state(): string {
    return this.key("state.yml");
  }
  get report(): string {
    return this.key("report.yml");
  }
  get ioSpec(): string {
    return this.key("experiment_io_spec.yml");
  }
  get inputArtifacts(): string {
    return this.key("input_artifacts.yml");
  }
  /** Path, size and SHA-256 of every output file. */
  get outputArtifacts(): string {
    return this.key("output_artifacts.pq");
  }
  get workflowSpec(): string {
    return this.key("workflow_spec.yml");
  }
  /** The study file that the run was made from. */
  get study(): string {
    return this.key("study.yml");
  }
  get specs(): string {
    return this.key("specs.pq");
  }
  get final(): string {
    return this.key("final/");
  }
  get results(): string {
    return this.key("results/");
  }
  get artifacts(): string {
    return this.key("artifacts/");
  }
  /** What a retry replaced: errors and report of an earlier generation. */
  history(generation: number, file: "errors.pq" | "report.yml"): string {
    return this.key(`history/${generationName(generation)}/${file}`);
  }
  /** In the folder of a downloaded run: which version of which object has arrived. */
  get download(): string {
    return this.key("download.json");
  }
  /** A table of the complete run. */
  finalTable(table: string): string {
    return this.key(`final/${table}.pq`);
  }

  /** Within the run: `artifacts/<field>/<file>`. */
  static artifactPath(field: string, file: string): string {
    return `artifacts/${field}/${file}`;
  }
  /** Within the run: `results/<field>/<file>`. */
  static resultPath(field: string, file: string): string {
    return `results/${field}/${file}`;
  }

  /** The specs of a node below the root: a slice that its parent wrote. @internal */
  nodeSpecs(path: NodePath, generation: number): string {
    const folder = generation === 0 ? "" : `${generationName(generation)}/`;
    return this.key(`scatter-gather/input/${folder}${nodeFolder(path)}specs.pq`);
  }
  /** The specs that a later generation runs again, as chosen by one attempt to start it. @internal */
  retriedSpecs(generation: number, attempt: string): string {
    return this.key(`scatter-gather/input/${generationName(generation)}/specs-${attempt}.pq`);
  }
  /** The specs that an extending run adds to those of its base run. @internal */
  get addedSpecs(): string {
    return this.key("scatter-gather/input/added.pq");
  }
  /** A copy of a final table of the base run. The folder's name `carried` is stored, so it stays. @internal */
  inheritedTable(table: string): string {
    return this.key(`scatter-gather/input/carried/${table}.pq`);
  }
  /** Lists the copied tables and how their references change (`InheritedTables`). @internal */
  get inheritedTables(): string {
    return this.key("scatter-gather/input/carried/carried.json");
  }
  /** The waves that a node has planned. @internal */
  waves(path: NodePath): string {
    return this.key(`scatter-gather/input/${nodeFolder(path)}waves/`);
  }
  /** @internal */
  wave(path: NodePath, generation: number, wave: number): string {
    return `${this.waves(path)}${generationName(generation)}-w${pad(wave, 6)}.json`;
  }
  /** The parts of one node; `allParts` for the whole run. @internal */
  parts(path: NodePath): string {
    return this.key(`scatter-gather/output/${nodeFolder(path)}parts/`);
  }
  /** @internal */
  get allParts(): string {
    return this.key("scatter-gather/output/");
  }
  /** @internal */
  part(path: NodePath, part: PartName): string {
    return `${this.parts(path)}${rangeName(part)}.${part.ok}-${part.failed}.pq`;
  }
  /** The side tables of one node's parts. @internal */
  partTables(path: NodePath): string {
    return this.key(`scatter-gather/output/${nodeFolder(path)}tables/`);
  }
  /** Rows of one side table, written by an attempt before the part that names this attempt. @internal */
  partTable(path: NodePath, range: Omit<PartName, "ok" | "failed">, table: string, attempt: string): string {
    return `${this.partTables(path)}${table}/${rangeName(range)}.${attempt}.pq`;
  }
  /** The {@link partTable} that belongs to the part with this key. @internal */
  static sideTableOf(part: string, table: string, attempt: string): string {
    const [, node, range] = /^(.*\/)parts\/([^/.]+)\.[^/]*$/.exec(part)!;
    return `${node}tables/${table}/${range}.${attempt}.pq`;
  }
  /**
   * The rows of succeeded specs that a node below the root gathered, for its parent to merge. Created once; they name
   * the attempt whose side tables belong to them.
   * @internal
   */
  gathered(path: NodePath, generation: number): string {
    return `${this.gatheredFolder(path, generation)}rows.pq`;
  }
  /** @internal */
  gatheredTable(path: NodePath, generation: number, table: string, attempt: string): string {
    return `${this.gatheredFolder(path, generation)}${table}.${attempt}.pq`;
  }
  /** @internal */
  gatheredFolder(path: NodePath, generation: number): string {
    return this.key(`scatter-gather/output/${nodeFolder(path)}gathered/${generationName(generation)}/`);
  }

  /** Needed only while the run is in progress: a complete run is whole without it. @internal */
  get tree(): string {
    return this.key("scatter-gather/");
  }
  /** @internal */
  get events(): string {
    return this.key("scatter-gather/events/");
  }
  /** @param attempt for events that an attempt reports before its part is written @internal */
  event(path: NodePath, range: Omit<PartName, "ok" | "failed">, attempt?: string): string {
    return `${this.events}${nodeFolder(path)}${rangeName(range)}${attempt === undefined ? "" : `.${attempt}`}.json`;
  }
  /** Which specs a node's leaves are running, for the worker that replaces one that died. @internal */
  notes(path: NodePath, generation: number): string {
    return this.key(`scatter-gather/notes/${nodeFolder(path)}g${pad(generation, 4)}-`);
  }
  /** @internal */
  note(path: NodePath, range: Omit<PartName, "ok" | "failed">): string {
    return this.key(`scatter-gather/notes/${nodeFolder(path)}${rangeName(range)}.json`);
  }
  /** @internal */
  get control(): string {
    return this.key("scatter-gather/control/");
  }
  /** A request to the driver of one epoch, or its heartbeat. A request never reaches a later driver. @internal */
  controlOf(epoch: number, what: ControlName): string {
    return `${this.control}e${pad(epoch, 6)}-${what}.json`;
  }
}

/** `driver`: its heartbeat. */
export type ControlName = "driver" | "cancel" | "cancel-now" | "pause";

/** `root/`, or `recurse/<level>/<offset>-<offset>…/`. */
function nodeFolder(path: NodePath): string {
  if (path.length === 0) return "root/";
  return `recurse/${path.length}/${path.map(({ offset }) => pad(offset, 6)).join("-")}/`;
}

function rangeName({ generation, from, to }: { generation: number; from: number; to: number }): string {
  return `${generationName(generation)}-${pad(from, 10)}-${pad(to, 10)}`;
}

function generationName(generation: number): string {
  return `g${pad(generation, 4)}`;
}

function pad(value: number, width: number): string {
  return String(value).padStart(width, "0");
}

const PART = /\/parts\/g(\d+)-(\d+)-(\d+)\.(\d+)-(\d+)\.pq$/;

/** The generation whose files this path in `history/` keeps; undefined for any other path. */
export function historyGeneration(path: string): number | undefined {
  const match = /^history\/g(\d+)\//.exec(path);
  return match ? Number(match[1]) : undefined;
}

/** Parses a part's key; undefined for any other key. */
export function parsePart(key: string): PartName | undefined {
  const match = PART.exec(key);
  if (!match) return undefined;
  const [generation, from, to, ok, failed] = match.slice(1).map(Number) as [number, number, number, number, number];
  return { generation, from, to, ok, failed };
}

/** Epoch and kind of a key under `control/`; undefined for any other key. */
export function parseControl(key: string): { epoch: number; what: ControlName } | undefined {
  const match = /\/control\/e(\d+)-(driver|cancel|cancel-now|pause)\.json$/.exec(key);
  return match ? { epoch: Number(match[1]), what: match[2] as ControlName } : undefined;
}

/** Generation and number of a wave's key; undefined for any other key. */
export function parseWave(key: string): { generation: number; wave: number } | undefined {
  const match = /\/waves\/g(\d+)-w(\d+)\.json$/.exec(key);
  return match ? { generation: Number(match[1]), wave: Number(match[2]) } : undefined;
}

/** The generation in an event's key, and whether the event was reported before its chunk ended. */
export function parseEvent(key: string): { generation: number; early: boolean } | undefined {
  const match = /\/events\/.*\/g(\d+)-\d+-\d+(\.[0-9a-f]+)?\.json$/.exec(key);
  return match ? { generation: Number(match[1]), early: match[2] !== undefined } : undefined;
}

/** References to a run's own files have this scheme, relative to the run, until the final tables are written. */
export const RUN_SCHEME = "scythe-run:";
