/** The requests of one stream: an endless iterable that is fed while it is read. */
export class RequestQueue {
  readonly #stop = new AbortController();
  #queue: string[] = [];
  #wake: () => void = () => undefined;
  #reader = 0;

  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  get closed(): boolean {
    return this.#stop.signal.aborted;
  }

  push(runId: string): void {
    this.#queue.push(runId);
    this.#wake();
  }

  restart(runIds: Iterable<string>): void {
    this.#queue = [...runIds];
    this.#wake();
  }

  close(): void {
    this.#stop.abort();
    this.#wake();
  }

  async *read(): AsyncGenerator<{ workflowRunId: string }> {
    const reader = ++this.#reader; // an earlier stream's reader must not take what is this one's
    while (!this.closed && reader === this.#reader) {
      const runId = this.#queue.shift();
      if (runId !== undefined) yield { workflowRunId: runId };
      else
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
    }
  }
}
