import type { RunLayout } from "../run/layout.ts";
import { getText, type Storage } from "../storage/storage.ts";
import type { TransferItem } from "./transfer.ts";

/** Etags of an object where it was brought from, and of the file that it became. */
interface Arrival {
  source: string;
  target: string;
}

/** Between two writes of the record while files arrive. */
const SAVE_MS = 5_000;

/** Remembers which content of which object was brought, beside the downloaded run. */
export class DownloadRecord {
  /** Something was downloaded there before. */
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

  /** The object was brought as it is now. */
  has(item: TransferItem): boolean {
    return this.#arrivals.get(item.to)?.source === item.etag;
  }

  /** Keys of everything that arrived. */
  get keys(): string[] {
    return [...this.#arrivals.keys()];
  }

  /** The etag that its file had when it arrived. */
  arrivedAs(item: TransferItem): string | undefined {
    return this.#arrivals.get(item.to)?.target;
  }

  /** A download that is killed loses no more than what arrived after the last save. */
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

/** Of a damaged record nothing is believed: everything is brought again. */
function arrivalsIn(text: string): Map<string, Arrival> {
  try {
    const parsed = JSON.parse(text) as Record<string, Arrival>;
    return new Map(Object.entries(parsed).filter(([, arrival]) => typeof arrival?.source === "string"));
  } catch {
    return new Map();
  }
}
