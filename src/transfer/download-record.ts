import type { RunLayout } from "../run/layout.ts";
import { getText, type Storage } from "../storage/storage.ts";
import type { TransferItem } from "./transfer.ts";

/** Etags of an object in the source, and of the local file made from it. */
interface Arrival {
  source: string;
  target: string;
}

/** Between two writes of the record while files arrive. */
const SAVE_MS = 5_000;

/** Records which version of which object was downloaded, stored in the downloaded run's folder. */
export class DownloadRecord {
  /** The folder is that of an earlier download. */
  readonly found: boolean;
  readonly #target: Storage;
  readonly #key: string;
  readonly #arrivals: Map<string, Arrival>;
  #nextSave = Date.now() + SAVE_MS;
  #saving: Promise<void> | undefined;

  private constructor(target: Storage, key: string, found: boolean, arrivals: Map<string, Arrival>) {
    this.#target = target;
    this.#key = key;
    this.found = found;
    this.#arrivals = arrivals;
  }

  static async open(target: Storage, layout: RunLayout): Promise<DownloadRecord> {
    const found = await getText(target, layout.download);
    return new DownloadRecord(target, layout.download, found !== undefined, arrivalsIn(found?.text ?? "{}"));
  }

  /** The object's current version was downloaded. */
  has(item: TransferItem): boolean {
    return this.#arrivals.get(item.to)?.source === item.etag;
  }

  /** Keys of everything that arrived. */
  get keys(): string[] {
    return [...this.#arrivals.keys()];
  }

  /** The etag of its file when it arrived. */
  arrivedAs(item: TransferItem): string | undefined {
    return this.#arrivals.get(item.to)?.target;
  }

  /** Saves periodically: a killed download loses only what arrived after the last save. */
  async add(item: TransferItem, etag: string): Promise<void> {
    this.#arrivals.set(item.to, { source: item.etag, target: etag });
    if (Date.now() < this.#nextSave || this.#saving) return;
    const began = Date.now();
    this.#saving = this.#write().finally(() => {
      this.#saving = undefined;
      this.#nextSave = Date.now() + Math.max(SAVE_MS, 20 * (Date.now() - began));
    });
    await this.#saving;
  }

  async save(): Promise<void> {
    await this.#saving;
    await this.#write();
  }

  async #write(): Promise<void> {
    await this.#target.put(this.#key, JSON.stringify(Object.fromEntries(this.#arrivals)));
  }
}

/** A damaged record is ignored: everything is downloaded again. */
function arrivalsIn(text: string): Map<string, Arrival> {
  try {
    const parsed = JSON.parse(text) as Record<string, Arrival>;
    return new Map(Object.entries(parsed).filter(([, arrival]) => typeof arrival?.source === "string"));
  } catch {
    return new Map();
  }
}
