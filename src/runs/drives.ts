import { ScytheError } from "../errors.ts";

/** The runs that a project drives in this process; closing the project releases them. */
export class Drives {
  readonly #active = new Set<{ detach(): Promise<void> }>();
  #closed = false;

  get closed(): boolean {
    return this.#closed;
  }

  /** @throws ScytheError `conflict` */
  assertOpen(): void {
    if (!this.#closed) return;
    throw new ScytheError("conflict", "The project is closed and drives no more runs", {
      hint: "Open it again, or close it later: `await run.result()` first.",
    });
  }

  /** Registers a drive until `ended` has settled. When the project is already closed, it is released at once. */
  add(drive: { detach(): Promise<void> }, ended: Promise<void>): void {
    this.#active.add(drive);
    void ended.finally(() => this.#active.delete(drive));
    if (this.#closed) void drive.detach();
  }

  /** Resolves when all of them have stopped. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#active].map((drive) => drive.detach()));
  }
}
