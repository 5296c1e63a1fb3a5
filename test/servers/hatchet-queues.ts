import { fits, freeSlots, hasRoom, type Run, type WorkerState } from "./hatchet-model.ts";

/** Runs that wait for a slot: one queue an action, the more urgent first, else in order of their coming. */
export class Queues {
  readonly #byAction = new Map<string, Run[]>();
  readonly #never = new Set<Run>();

  push(run: Run): void {
    const queue = this.#byAction.get(run.task.action) ?? [];
    this.#byAction.set(run.task.action, queue);
    const before = queue.findIndex(({ priority }) => priority < run.priority);
    if (before < 0) queue.push(run);
    else queue.splice(before, 0, run);
  }

  /** It waits, but is never given out. */
  strand(run: Run): void {
    this.#never.add(run);
  }

  remove(run: Run): void {
    this.#never.delete(run);
    const queue = this.#byAction.get(run.task.action);
    const at = queue?.indexOf(run) ?? -1;
    if (at >= 0) queue!.splice(at, 1);
  }

  overdue(now: number): Run[] {
    return [...this.#never, ...[...this.#byAction.values()].flat()].filter(({ scheduleBy }) => scheduleBy <= now);
  }

  handOut(workers: readonly WorkerState[], assign: (run: Run, worker: WorkerState) => void): void {
    for (const [action, queue] of this.#byAction) {
      const able = workers.filter(({ actions, stream, paused }) => actions.has(action) && stream?.open && !paused);
      if (able.length === 0) continue;
      const left: Run[] = [];
      for (const [i, run] of queue.entries()) {
        const free = able.filter((worker) => hasRoom(worker, run.task));
        if (free.length === 0) {
          left.push(...queue.slice(i));
          break;
        }
        const best = free.filter((worker) => fits(worker, run)).sort((a, b) => freeSlots(b) - freeSlots(a))[0];
        if (best) assign(run, best);
        else left.push(run);
      }
      queue.splice(0, queue.length, ...left);
    }
  }
}
