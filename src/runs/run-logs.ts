import pMap from "p-map";
import { parseEvent, type RunLayout } from "../run/layout.ts";
import { listAll, type Storage } from "../storage/storage.ts";
import type { LogSource } from "../worker/protocol.ts";
import type { ChunkEvent } from "../worker/supervisor/chunk-log.ts";

/** The log of one spec. */
export interface SpecLog {
  sortIndex: number;
  failed: boolean;
  /** `log` is `ctx.log`. Printed text includes its line breaks. */
  lines: { source: LogSource; text: string }[];
}

/** The logs of a run's specs so far. */
export interface RunLogs {
  /** By `sort_index`; specs without output are omitted. */
  specs: SpecLog[];
  /** Output that belongs to no known spec, such as while the project loads. */
  output: string;
  /** Number of specs whose log was dropped, as there was too much output. */
  dropped: number;
}

/** Which specs' logs to read. */
export interface LogOptions {
  spec?: number;
  /** Only logs of failed specs. */
  failed?: boolean;
}

/** Events read concurrently. */
const CONCURRENCY = 16;

/**
 * Reads the logs of a run's specs so far. For a spec that ran more than once: the log of the try that gave its row,
 * else the last. Events are cached until they change, so following a run reads only what is new.
 */
export class LogReader {
  readonly #storage: Storage;
  readonly #layout: RunLayout;
  readonly #events = new Map<string, { stamp: string; event: ChunkEvent; generation: number; early: boolean }>();

  constructor(storage: Storage, layout: RunLayout) {
    this.#storage = storage;
    this.#layout = layout;
  }

  async read({ spec, failed }: LogOptions = {}): Promise<RunLogs> {
    await this.#refresh();
    const events = [...this.#events.values()].sort(
      (a, b) => a.generation - b.generation || Number(b.early) - Number(a.early) || (a.event.at < b.event.at ? -1 : 1),
    );
    const specs = new Map<number, SpecLog>();
    for (const { event } of events) for (const log of specLogs(event)) specs.set(log.sortIndex, log);
    const wanted = [...specs.values()].filter(
      (log) => (spec === undefined || log.sortIndex === spec) && (!failed || log.failed),
    );
    return {
      specs: wanted.sort((a, b) => a.sortIndex - b.sortIndex),
      output: spec === undefined && !failed ? events.map(({ event }) => event.output).join("") : "",
      dropped: events.reduce((sum, { event }) => sum + (event.dropped ?? 0), 0),
    };
  }

  async #refresh(): Promise<void> {
    const found = await listAll(this.#storage, this.#layout.events);
    const there = new Set(found.map(({ key }) => key));
    for (const key of this.#events.keys()) if (!there.has(key)) this.#events.delete(key);
    const fresh = found.filter(({ key, modified, size }) => this.#events.get(key)?.stamp !== stampOf(modified, size));
    await pMap(
      fresh,
      async ({ key, modified, size }) => {
        const event = await readEvent(this.#storage, key);
        const about = parseEvent(key);
        if (event && about) this.#events.set(key, { stamp: stampOf(modified, size), event, ...about });
      },
      { concurrency: CONCURRENCY },
    );
  }
}

/** Undefined for a damaged or missing event: no row depends on it. */
export async function readEvent(storage: Storage, key: string): Promise<ChunkEvent | undefined> {
  try {
    const event = JSON.parse(new TextDecoder().decode((await storage.get(key)).body)) as ChunkEvent;
    return Array.isArray(event.logs) && Array.isArray(event.failures) ? event : undefined;
  } catch {
    return undefined;
  }
}

function specLogs({ logs, failed, failures }: ChunkEvent): SpecLog[] {
  const bad = new Set([...(failed ?? []), ...failures.map(({ sort_index }) => sort_index)]);
  const specs = new Map<number, SpecLog>();
  for (const { sort_index: sortIndex, source = "log", message } of logs) {
    const log = specs.get(sortIndex) ?? { sortIndex, failed: bad.has(sortIndex), lines: [] };
    specs.set(sortIndex, log);
    log.lines.push({ source, text: message });
  }
  return [...specs.values()];
}

function stampOf(modified: Date, size: number): string {
  return `${modified.getTime()} ${size}`;
}
