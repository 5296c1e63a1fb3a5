import type { SdkContext } from "./sdk.ts";

/** What tells tasks, their tries and their deliveries apart. */
type Delivery = Pick<SdkContext, "taskRunExternalId" | "retryCount" | "abortController">;

interface Task<T> {
  first: Delivery;
  work: Promise<T>;
}

/**
 * The tasks that a process works on. Hatchet may deliver one twice, and the SDK would run it twice at the same time; here
 * the second delivery waits for the first one's work and reports the same.
 */
export class InHand<T> {
  readonly #tasks = new Map<string, Task<T>>();

  share(delivery: Delivery, begin: () => Promise<T>): Promise<T> {
    const key = `${delivery.taskRunExternalId()}.${delivery.retryCount()}`; // another try is other work
    const known = this.#tasks.get(key);
    if (known) {
      // The SDK tells the latest delivery alone that the task is cancelled.
      const { signal } = delivery.abortController;
      signal.addEventListener("abort", () => known.first.abortController.abort(signal.reason), { once: true });
      return known.work;
    }
    const work = begin().finally(() => this.#tasks.delete(key));
    this.#tasks.set(key, { first: delivery, work });
    return work;
  }
}
