import type { RunLayout } from "../../run/layout.ts";
import type { LeafTask } from "../../scatter/run-task.ts";
import { getText, listAll, type Storage } from "../../storage/storage.ts";
import { MAX_DEATHS } from "./crash-records.ts";

/** What a running leaf stores for the worker that replaces one that died. */
interface Note {
  /** Position of the current spec. */
  position: number;
  /** It is exactly this spec, noted before it started; otherwise one of the few quick ones from `position` on. */
  alone: boolean;
  /** When and where it started, for each time that its end was not recorded. */
  begun: string[];
}

/** How often a leaf checks whether to write a note, and the running time from which a spec gets one. */
const INTERVALS = { local: { pollMs: 250, slowMs: 1_000 }, remote: { pollMs: 1_000, slowMs: 2_000 } };

/** A mutex: of two suspected specs that run at the same time, either could be the cause. */
export class SuspectLock {
  #last: Promise<void> = Promise.resolve();

  /** Resolves with a release function when the caller holds the lock. */
  async acquire(): Promise<() => void> {
    const before = this.#last;
    let end: () => void = () => undefined;
    this.#last = new Promise((resolve) => {
      end = resolve;
    });
    await before;
    return end;
  }
}

/**
 * The note that a leaf keeps about its current spec. A leaf that runs for the first time notes only slow specs, so that
 * quick ones cost nothing; any other notes its position at every poll. A spec that a dead worker's note names is noted
 * each time before it starts (docs/decisions/0012-quarantine.md).
 */
export class SpecNotes {
  /** The spec that an earlier worker died with. */
  readonly suspect: (Note & { quarantined: boolean }) | undefined;
  readonly #storage: Storage;
  readonly #key: string;
  readonly #worker: string;
  readonly #restarted: boolean;
  readonly #slowMs: number;
  readonly #timer: NodeJS.Timeout;
  /** Notes that are obsolete when the specs they name are settled. */
  readonly #found: { key: string; position: number }[];
  #position: number;
  #since = performance.now();
  #noted = -1;
  #written = false;
  #writing: Promise<unknown> = Promise.resolve();

  private constructor(
    storage: Storage,
    key: string,
    worker: string,
    task: LeafTask,
    restarted: boolean,
    found: Found[],
  ) {
    this.#storage = storage;
    this.#key = key;
    this.#worker = worker;
    this.#restarted = restarted;
    this.#found = found;
    this.#position = task.from;
    const worst = found.sort((a, b) => b.begun.length - a.begun.length || a.position - b.position)[0];
    if (worst) this.suspect = { ...worst, quarantined: worst.alone && worst.begun.length >= MAX_DEATHS };
    const { pollMs, slowMs } = storage.localPath ? INTERVALS.local : INTERVALS.remote;
    this.#slowMs = slowMs;
    this.#timer = setInterval(() => this.#poll(), pollMs).unref();
  }

  /** @param again the leaf may have been started before */
  static async open(
    storage: Storage,
    layout: RunLayout,
    task: LeafTask,
    options: { worker: string; again: boolean },
  ): Promise<SpecNotes> {
    const found = options.again ? await findNotes(storage, layout, task) : [];
    const notes = new SpecNotes(storage, layout.note(task.path, task), options.worker, task, options.again, found);
    if (options.again && found.length === 0) await notes.#write({ position: task.from, alone: false, begun: [] });
    return notes;
  }

  /** The current spec is at `position`, or soon after. */
  at(position: number): void {
    if (position === this.#position) return;
    this.#position = position;
    this.#since = performance.now();
  }

  /** Notes a suspected spec, which may start when this has resolved. */
  async begin(position: number): Promise<void> {
    this.at(position);
    const { suspect } = this;
    const isSuspect = suspect && (!suspect.alone || suspect.position === position);
    await this.#write({ position, alone: true, begun: isSuspect ? suspect.begun : [] });
  }

  /** The worker is alive and all specs below `end` are settled: removes their notes. */
  async close(end: number): Promise<void> {
    clearInterval(this.#timer);
    await this.#writing.catch(() => undefined);
    const pending = this.suspect && end <= this.suspect.position;
    const settled = this.#found.filter(({ position }) => position < end).map(({ key }) => key);
    const keys = new Set(this.#written && !pending ? [this.#key, ...settled] : settled);
    if (keys.size > 0) await this.#storage.delete([...keys]).catch(() => undefined);
  }

  /** Never overwrites the note about a suspect before it has run. */
  #poll(): void {
    const position = this.#position;
    if (position === this.#noted || (this.suspect && position <= this.suspect.position)) return;
    if (!this.#restarted && performance.now() - this.#since < this.#slowMs) return;
    this.#write({ position, alone: false, begun: [] }).catch(() => undefined); // the next poll tries again
  }

  #write(note: Note): Promise<void> {
    const begun = [...note.begun, `${new Date().toISOString()} on ${this.#worker}`];
    this.#noted = note.position;
    this.#written = true;
    const write = this.#writing
      .catch(() => undefined)
      .then(() => this.#storage.put(this.#key, JSON.stringify({ ...note, begun })))
      .then(() => undefined);
    this.#writing = write;
    return write;
  }
}

type Found = Note & { key: string };

async function findNotes(storage: Storage, layout: RunLayout, task: LeafTask): Promise<Found[]> {
  const found: Found[] = [];
  for (const { key } of await listAll(storage, layout.notes(task.path, task.generation))) {
    const note = noteOf((await getText(storage, key))?.text);
    if (note && note.position >= task.from && note.position < task.to) found.push({ ...note, key });
  }
  return found;
}

/** An unreadable note is ignored. */
function noteOf(text: string | undefined): Note | undefined {
  try {
    const { position, alone, begun } = JSON.parse(text ?? "") as Note;
    return Number.isInteger(position) && Array.isArray(begun) ? { position, alone, begun } : undefined;
  } catch {
    return undefined;
  }
}
