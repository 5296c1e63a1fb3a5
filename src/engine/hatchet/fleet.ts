import type { Client } from "./sdk.ts";

/** A worker as the server sees it. */
export interface FleetWorker {
  name: string;
  tasks: string[];
  labels: Record<string, string>;
  /** Slots by type. */
  slots: Record<string, { limit: number; available: number }>;
  /** Milliseconds since its last sign of life. */
  silentMs: number;
}

/** The kind of slots that plain tasks take. */
const SLOTS = "default";
const FRESH_MS = 3_000;
/** A worker that died is "active" until the server misses its heartbeats. */
const SILENT_MS = 30_000;

/** The workers that are there, as of a moment ago. */
export class Fleet {
  readonly #client: Client;
  #known: { at: number; workers: Promise<FleetWorker[]> } | undefined;

  constructor(client: Client) {
    this.#client = client;
  }

  workers(): Promise<FleetWorker[]> {
    if (!this.#known || Date.now() - this.#known.at > FRESH_MS) {
      const workers = listWorkers(this.#client);
      workers.catch(() => undefined);
      this.#known = { at: Date.now(), workers };
    }
    return this.#known.workers;
  }

  /**
   * How many leaves of a task can run at once on workers with these labels.
   * @returns undefined when the server's REST interface does not answer: gRPC, which the rest needs, cannot tell
   */
  async slotsFor(task: string, labels: Readonly<Record<string, string>>): Promise<number | undefined> {
    const workers = await this.workers().catch(() => undefined);
    return workers
      ?.filter((worker) => worker.tasks.includes(task.toLowerCase()) && hasLabels(worker, labels))
      .reduce((sum, { slots }) => sum + (slots[SLOTS]?.limit ?? 0), 0);
  }
}

export function hasLabels(worker: FleetWorker, labels: Readonly<Record<string, string>>): boolean {
  return Object.entries(labels).every(([name, value]) => worker.labels[name] === value);
}

async function listWorkers(client: Client): Promise<FleetWorker[]> {
  const { rows = [] } = await client.workers.list();
  return rows
    .filter(({ status }) => status === "ACTIVE")
    .map((row) => ({
      name: row.name,
      tasks: (row.actions ?? []).map((action) => action.split(":")[0]!),
      labels: Object.fromEntries((row.labels ?? []).map(({ key, value }) => [key, String(value)])),
      slots: Object.fromEntries(
        Object.entries(row.slotConfig ?? {}).map(([type, { limit, available }]) => [
          type,
          { limit, available: available ?? 0 },
        ]),
      ),
      silentMs: row.lastHeartbeatAt ? Date.now() - Date.parse(row.lastHeartbeatAt) : 0,
    }))
    .filter(({ silentMs }) => silentMs < SILENT_MS);
}
