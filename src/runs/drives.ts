import { ScytheError } from "../errors.ts";

/** What a project drives in this process, to be left when the project is closed. */
export class Drives {
  readonly #going = new Set<{ leave(): Promise<void> }>();
  #closed = false;

  get closed(): boolean {
    return this.#closed;
  }

  /** @throws ScytheError `conflict` */
  assertOpen(): void {
    if (!this.#closed) return;
    throw new ScytheError("conflict", "The project is closed: it drives no run any more", {
      hint: "Open it anew, or close it later: `await run.result()` first.",
    });
  }

  /** Until `ended` has settled. One that comes when the project is closed already is left at once. */
  add(drive: { leave(): Promise<void> }, ended: Promise<void>): void {
    this.#going.add(drive);
    void ended.finally(() => this.#going.delete(drive));
    if (this.#closed) void drive.leave();
  }

  /** Resolves when none of them does anything more. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#going].map((drive) => drive.leave()));
  }
}
