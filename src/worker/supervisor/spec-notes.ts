import type { RunLayout } from "../../run/layout.ts";
import type { LeafTask } from "../../scatter/run-task.ts";
import { getText, listAll, type Storage } from "../../storage/storage.ts";
import { MOST_DEATHS } from "./spec-account.ts";

/** What lies in storage of a leaf at work, for whoever comes after a worker that died with it. */
interface Note {
  /** The spec that is in hand. */
  position: number;
  /** It is this very spec, noted before it began; otherwise one of the few quick ones from `position` on. */
  alone: boolean;
  /** When and where it began, each time that nobody heard of its end. */
  begun: string[];
}

/** How often a leaf looks whether there is something to note, and the age at which a spec in hand is worth it. */
const PACE = { local: { lookMs: 250, slowMs: 1_000 }, remote: { lookMs: 1_000, slowMs: 2_000 } };

/** One at a time: of two specs under suspicion that run side by side, either could be the one. */
export class Trials {
  #last: Promise<void> = Promise.resolve();

  /** Resolves when it is the caller's turn, with what ends the turn. */
  async begin(): Promise<() => void> {
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
 * The note that a leaf keeps of the spec in hand. A leaf that nobody is known to have begun before notes only specs that
 * take long, so that quick ones cost nothing; any other notes where it is at every look. What a note of a dead worker
 * names is noted each time before it begins (docs/decisions/0012-quarantine.md).
 */
export class SpecNotes {
  /** What an earlier worker died with. */
  readonly suspect: (Note & { condemned: boolean }) | undefined;
  readonly #storage: Storage;
  readonly #key: string;
  readonly #worker: string;
  readonly #wary: boolean;
  readonly #slowMs: number;
  readonly #timer: NodeJS.Timeout;
  /** Notes that are settled with the specs they name. */
  readonly #found: { key: string; position: number }[];
  #position: number;
  #since = performance.now();
  #noted = -1;
  #written = false;
  #writing: Promise<unknown> = Promise.resolve();

  private constructor(storage: Storage, key: string, worker: string, task: LeafTask, wary: boolean, found: Found[]) {
    this.#storage = storage;
    this.#key = key;
    this.#worker = worker;
    this.#wary = wary;
    this.#found = found;
    this.#position = task.from;
    const worst = found.sort((a, b) => b.begun.length - a.begun.length || a.position - b.position)[0];
    if (worst) this.suspect = { ...worst, condemned: worst.alone && worst.begun.length >= MOST_DEATHS };
    const { lookMs, slowMs } = storage.localPath ? PACE.local : PACE.remote;
    this.#slowMs = slowMs;
    this.#timer = setInterval(() => this.#look(), lookMs).unref();
  }

  /** @param again somebody may have begun this leaf before */
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

  /** The spec at `position` is in hand, or one soon after it. */
  at(position: number): void {
    if (position === this.#position) return;
    this.#position = position;
    this.#since = performance.now();
  }

  /** Notes a spec under suspicion; it may begin when this has resolved. */
  async begin(position: number): Promise<void> {
    this.at(position);
    const { suspect } = this;
    const isMeant = suspect && (!suspect.alone || suspect.position === position);
    await this.#write({ position, alone: true, begun: isMeant ? suspect.begun : [] });
  }

  /** The worker lives, and all specs below `end` are settled: there is nothing to suspect. */
  async close(end: number): Promise<void> {
    clearInterval(this.#timer);
    await this.#writing.catch(() => undefined);
    const pending = this.suspect && end <= this.suspect.position;
    const settled = this.#found.filter(({ position }) => position < end).map(({ key }) => key);
    const keys = new Set(this.#written && !pending ? [this.#key, ...settled] : settled);
    if (keys.size > 0) await this.#storage.delete([...keys]).catch(() => undefined);
  }

  /** What is known of a suspect is not written over before it has been met. */
  #look(): void {
    const position = this.#position;
    if (position === this.#noted || (this.suspect && position <= this.suspect.position)) return;
    if (!this.#wary && performance.now() - this.#since < this.#slowMs) return;
    this.#write({ position, alone: false, begun: [] }).catch(() => undefined); // there is another look
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

/** A note that cannot be read is none: it only helps. */
function noteOf(text: string | undefined): Note | undefined {
  try {
    const { position, alone, begun } = JSON.parse(text ?? "") as Note;
    return Number.isInteger(position) && Array.isArray(begun) ? { position, alone, begun } : undefined;
  } catch {
    return undefined;
  }
}
