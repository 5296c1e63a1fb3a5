/**
 * What is asked of the operating system beyond Node's own API: one file a platform, one fallback each
 * (docs/guide/platforms.md). `platform.testsuite.ts` is the contract.
 */
export interface Platform {
  /**
   * This boot of this machine, and in it the container: process ids mean something within one only. Null where the
   * system does not say: then hosts are known by their names.
   */
  bootId(): string | null;
  /**
   * When a process began, opaque: with its id it names one process. Undefined for one that has ended, whether or not
   * its parent has asked how. {@link UNKNOWN} where the system does not say: then a reused id is taken for its owner.
   */
  startOf(pid: number): string | undefined;
  /** What `process.kill` takes to end a process and those of its group. */
  killTarget(pid: number): number;
  /** What a worker's process (`leader`) has started and left running, as far as the system shows it. */
  startedBy(leader: number, owner: string): number[];
  /** Kills a worker's process and all that it started. */
  killTree(leader: number, owner: string): void;
  /** Kills what a process that is gone has left running. Its own id may be another's by now, so it is not touched. */
  killLeftovers(leader: number, owner: string): void;
  /** Resident memory of processes and their descendants, in bytes; undefined where no limit can be enforced. */
  residentBytes(roots: readonly number[]): number | undefined;
  /** The same with each process's share of what it has in common with others, as after a fork: ten times as dear. */
  proportionalBytes(roots: readonly number[]): number | undefined;
  /** Processes that the system has killed since it started because memory ran out; undefined where it does not count. */
  memoryKills(): number | undefined;
  /** How long two looks at resident memory may lie apart, by what a look costs. */
  readonly memoryLookMs: number;
  /** What people and schedulers end a process with, when it may end in its own way. */
  readonly interruptions: readonly NodeJS.Signals[];
  /** How renaming a folder fails when one that is not empty has the name already. */
  readonly folderTaken: readonly string[];
  /** A word as one types it, quoted where a shell would read more into it. */
  shellWord(text: string): string;
  /** Whether `Path` and `PATH` are one variable of the environment. */
  readonly ignoresCaseOfVariables: boolean;
}

/** A start that the system does not tell. */
export const UNKNOWN = "";

/** Names, in the environment of a worker's process and of all that it starts, whose they are. */
export const OWNER_VARIABLE = "SCYTHE_PROCESS_OWNER";
