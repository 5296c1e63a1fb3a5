/**
 * What this package needs from the operating system beyond Node's API: one file per platform, each with a fallback
 * (docs/guide/platforms.md). `platform.testsuite.ts` is the contract.
 */
export interface Platform {
  /**
   * The id of this boot of this machine, and of the container in it: process ids are valid only within one. Null where
   * the system has none; then hosts are identified by name.
   */
  bootId(): string | null;
  /**
   * A process's start time, opaque: with the id it identifies one process. Undefined for one that has ended, reaped or
   * not. {@link UNKNOWN} where the system has none: then a reused id is taken for its former owner.
   */
  startOf(pid: number): string | undefined;
  /** The argument of `process.kill` that ends a process and its group. */
  killTarget(pid: number): number;
  /** Processes that a worker's process (`leader`) has started and left running, as far as the system shows them. */
  startedBy(leader: number, owner: string): number[];
  /** Kills a worker's process and everything it started. */
  killTree(leader: number, owner: string): void;
  /** Kills what a dead process has left running. Its id may have been reused, so that is not touched. */
  killLeftovers(leader: number, owner: string): void;
  /** Resident memory of processes and their descendants, in bytes; undefined where no limit can be enforced. */
  residentBytes(roots: readonly number[]): number | undefined;
  /** The same with shared pages divided among processes, as after a fork: ten times as expensive. */
  proportionalBytes(roots: readonly number[]): number | undefined;
  /**
   * Number of processes killed by the system since boot because memory ran out; undefined where it does not count them.
   */
  memoryKills(): number | undefined;
  /** Longest time between two readings of resident memory, by what a reading costs. */
  readonly memoryLookMs: number;
  /** Signals by which users and schedulers ask a process to end. */
  readonly interruptions: readonly NodeJS.Signals[];
  /** Error codes of renaming a folder to the name of one that is not empty. */
  readonly folderTaken: readonly string[];
  /** How renaming over a file fails while somebody has that open. */
  readonly fileOpen: readonly string[];
  /** A word as one types it, quoted where a shell would read more into it. */
  shellWord(text: string): string;
  /** Whether `Path` and `PATH` are the same environment variable. */
  readonly ignoresCaseOfVariables: boolean;
}

/** A start time that the system does not provide. */
export const UNKNOWN = "";

/** The environment variable that marks a worker's process and everything it starts. */
export const OWNER_VARIABLE = "SCYTHE_PROCESS_OWNER";
