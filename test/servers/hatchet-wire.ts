/** Timers that end with the server. */
export class Timers {
  readonly #running = new Set<NodeJS.Timeout>();

  after(ms: number, work: () => void): void {
    const timer = setTimeout(() => {
      this.#running.delete(timer);
      work();
    }, ms);
    this.#running.add(timer);
  }

  every(ms: number, work: () => void): void {
    this.#running.add(setInterval(work, ms));
  }

  clear(): void {
    for (const timer of this.#running) clearTimeout(timer);
    this.#running.clear();
  }
}

/** What a server sends on one stream: pushed by whoever has news, pulled by the transport. */
export class Outbox<T> implements AsyncIterable<T> {
  readonly #queue: T[] = [];
  #wake: () => void = () => undefined;
  #ended = false;
  #error: Error | undefined;

  get open(): boolean {
    return !this.#ended;
  }

  push(message: T): void {
    if (this.#ended) return;
    this.#queue.push(message);
    this.#wake();
  }

  /** With an error, what was pushed and not sent yet is {@link unsent}. */
  end(error?: Error): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#error = error;
    this.#wake();
  }

  get unsent(): readonly T[] {
    return this.#queue;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void> {
    for (;;) {
      if (this.#error) throw this.#error;
      if (this.#queue.length > 0) {
        yield this.#queue.shift()!;
        continue;
      }
      if (this.#ended) return;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

/** Milliseconds of a duration as Go writes it: `1h30m`, `500ms`, `3.5s`. */
export function goDuration(text: string): number {
  const unit: Record<string, number> = { h: 3_600_000, m: 60_000, s: 1_000, ms: 1, us: 1e-3, µs: 1e-3, ns: 1e-6 };
  const parts = [...text.matchAll(/([\d.]+)(ms|us|µs|ns|h|m|s)/g)];
  if (parts.length === 0 || parts.map(([all]) => all).join("") !== text) throw new Error(`no duration: ${text}`);
  return parts.reduce((sum, [, count, name]) => sum + Number(count) * unit[name!]!, 0);
}
