import { randomUUID } from "node:crypto";
import type { AssignedAction } from "@hatchet-dev/typescript-sdk/protoc/dispatcher/index.js";
import type { TriggerWorkflowRequest } from "@hatchet-dev/typescript-sdk/protoc/v1/shared/trigger.js";
import type { CreateTaskOpts } from "@hatchet-dev/typescript-sdk/protoc/v1/workflows.js";
import type { Misbehaviour } from "./hatchet-misbehaviour.ts";
import {
  type Attempt,
  actionOf,
  childName,
  type Outcome,
  type Run,
  runOf,
  type TaskDefinition,
  taskOf,
  type WorkerState,
} from "./hatchet-model.ts";
import { Queues } from "./hatchet-queues.ts";
import type { Outbox, Timers } from "./hatchet-wire.ts";

/** One stream on which a client hears of ends. */
export interface Subscriber {
  /** Runs that were asked about and not told yet. */
  wanted: Set<string>;
  tell(run: Run): void;
}

export interface Limits {
  /** A worker whose stream is closed for so long has lost its tasks. */
  goneAfterMs: number;
  /** So has one that gives no heartbeat for so long. */
  silentAfterMs: number;
  /** How often subscribers are told of what had ended before they asked. */
  pollMs: number;
}

const TICK_MS = 25;
/** Times that the server gives a task to another worker before it calls it failed. */
const MOST_INTERNAL_RETRIES = 10;

/** What the server knows, and what it does by itself: hands out tasks, minds time limits, misses workers. */
export class HatchetState {
  readonly tenantId = randomUUID();
  readonly tasks = new Map<string, TaskDefinition>();
  readonly runs = new Map<string, Run>();
  readonly workers = new Map<string, WorkerState>();
  readonly subscribers = new Set<Subscriber>();
  readonly #queues = new Queues();
  /** Parent and key → the first child that was asked for with it. */
  readonly #children = new Map<string, string>();
  readonly #limits: Limits;
  readonly #timers: Timers;
  readonly #misbehave: Misbehaviour;
  readonly #count: (what: string) => void;
  #pumping = false;
  #polledAt = 0;

  constructor(limits: Limits, timers: Timers, misbehave: Misbehaviour, count: (what: string) => void) {
    this.#limits = limits;
    this.#timers = timers;
    this.#misbehave = misbehave;
    this.#count = count;
    timers.every(TICK_MS, () => this.#tick());
    const each = (work: (run: Run) => void) => (which: (task: string) => boolean) => {
      const taken = [...this.runs.values()].filter((run) => run.status === "RUNNING" && which(run.task.workflow));
      for (const run of taken) work(run);
      return taken.map(({ id }) => id);
    };
    misbehave.attach({ reassign: each((run) => this.reassign(run)), expire: each((run) => this.#timeOut(run)) });
  }

  define(workflow: string, task: CreateTaskOpts): TaskDefinition {
    const known = this.tasks.get(workflow);
    const definition = taskOf(workflow, task, [known?.workflowId ?? randomUUID(), randomUUID(), randomUUID()]);
    this.tasks.set(workflow, definition);
    return definition;
  }

  /** @returns the ids, in order; a workflow that nobody has registered gets one too, of a run that will never be */
  trigger(requests: readonly TriggerWorkflowRequest[]): string[] {
    const fresh = new Set<string>();
    return requests.map((request) => {
      const id = randomUUID();
      const task = this.tasks.get(request.name.toLowerCase());
      if (!task) return id;
      const child = childName(request);
      const existing = child && this.#children.get(child);
      if (existing && !fresh.has(child)) return existing;
      const run = runOf(id, task, request);
      this.runs.set(id, run);
      this.#count("runs");
      if (existing) {
        this.#queues.strand(run); // twice in one request: the second is never scheduled, as on the real server
        return id;
      }
      if (child) {
        this.#children.set(child, id);
        fresh.add(child);
      }
      this.#enqueue(run);
      return id;
    });
  }

  #enqueue(run: Run): void {
    run.status = "QUEUED";
    run.worker = undefined;
    run.timeoutAt = Number.POSITIVE_INFINITY;
    run.scheduleBy = Date.now() + run.task.scheduleMs;
    this.#queues.push(run);
    this.pump();
  }

  /** Soon gives waiting runs to free slots. */
  pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    setImmediate(() => {
      this.#pumping = false;
      this.#queues.handOut([...this.workers.values()], (run, worker) => this.#assign(run, worker));
    });
  }

  #assign(run: Run, worker: WorkerState): void {
    const now = Date.now();
    run.status = "RUNNING";
    run.worker = worker;
    run.slotReleased = false;
    run.timeoutAt = now + run.task.executionMs;
    run.attempts.push({ retryCount: run.retryCount, worker: worker.name, startedAt: now });
    worker.running.add(run);
    for (const [type, units] of Object.entries(run.task.slots)) {
      worker.used[type] = (worker.used[type] ?? 0) + units;
      worker.mostUsed[type] = Math.max(worker.mostUsed[type] ?? 0, worker.used[type]);
    }
    this.#count("actions");
    const lost = this.#misbehave.losesStart(run.task.workflow);
    if (!lost) this.#misbehave.send("Actions", worker.stream!, actionOf(this.tenantId, run, 0));
    if (this.#misbehave.draws("reassign")) {
      const { retryCount } = run;
      this.#timers.after(this.#misbehave.delay(), () => run.retryCount === retryCount && this.reassign(run));
    }
  }

  /** Ends the try in hand, if there is one. */
  #leave(run: Run, how: NonNullable<Attempt["ended"]>): void {
    const { worker } = run;
    if (!worker) return;
    this.releaseSlot(run);
    worker.running.delete(run);
    run.worker = undefined;
    run.timeoutAt = Number.POSITIVE_INFINITY;
    run.attempts.at(-1)!.ended = how;
    this.pump();
  }

  releaseSlot(run: Run): void {
    if (!run.worker || run.slotReleased) return;
    run.slotReleased = true;
    for (const [type, units] of Object.entries(run.task.slots)) run.worker.used[type]! -= units;
    this.pump();
  }

  /** What a worker says of the end of a try. That of an earlier try has no effect; after the end, it is kept. */
  report(run: Run, retryCount: number, outcome: Outcome, noRetry = false): void {
    if (retryCount !== run.retryCount || run.status === "QUEUED") {
      this.#count("staleReports");
      return;
    }
    if (isOver(run)) {
      run.outcomes.push(outcome);
      this.#count("lateReports");
      return;
    }
    this.#leave(run, outcome.status === "COMPLETED" ? "completed" : "failed");
    if (outcome.status === "FAILED" && !noRetry && this.#retried(run)) return;
    this.#finish(run, outcome);
  }

  #retried(run: Run): boolean {
    if (run.appRetries >= run.task.retries) return false;
    run.appRetries++;
    run.retryCount++;
    const { backoff } = run.task;
    if (!backoff) {
      this.#enqueue(run);
      return true;
    }
    run.status = "QUEUED";
    const { retryCount } = run;
    const pause = Math.min(backoff.factor ** run.appRetries, backoff.mostSeconds) * 1_000;
    this.#timers.after(pause, () => run.status === "QUEUED" && run.retryCount === retryCount && this.#enqueue(run));
    return true;
  }

  #finish(run: Run, outcome: Outcome, restStatus: Run["status"] = outcome.status): void {
    run.outcomes.push(outcome);
    run.status = outcome.status;
    run.restStatus = restStatus;
    for (const subscriber of this.subscribers) {
      if (subscriber.wanted.delete(run.id)) subscriber.tell(run);
    }
  }

  /** Of a run that has ended, too: what is told of it afterwards is that it was cancelled. */
  cancel(run: Run): void {
    if (isOver(run)) {
      run.outcomes.push({ status: "CANCELLED", error: "" });
      run.status = "CANCELLED";
      return;
    }
    this.#tellCancelled(run);
    this.#leave(run, "cancelled");
    this.#queues.remove(run);
    this.#finish(run, { status: "CANCELLED", error: "" });
  }

  #tellCancelled(run: Run): void {
    const stream = run.worker?.stream;
    if (stream) this.#misbehave.send("Actions", stream, actionOf(this.tenantId, run, 1));
  }

  /** The worker is thought dead: another slot gets the run, as its next try. */
  reassign(run: Run): void {
    if (run.status !== "RUNNING") return;
    this.#count("reassigned");
    this.#leave(run, "reassigned");
    if (run.internalRetries >= MOST_INTERNAL_RETRIES) {
      this.#finish(run, { status: "FAILED", error: "the worker became inactive, too often" });
      return;
    }
    run.internalRetries++;
    run.retryCount++;
    this.#enqueue(run);
  }

  /** A worker's stream opens; an earlier one of it ends. */
  listen(worker: WorkerState, stream: Outbox<AssignedAction>): void {
    worker.stream?.end();
    worker.stream = stream;
    worker.lastHeartbeat = Date.now();
    this.pump();
  }

  /** What could not be sent is given out anew. */
  hangUp(worker: WorkerState, stream: Outbox<AssignedAction>): void {
    if (worker.stream === stream) {
      worker.stream = undefined;
      worker.closedAt = Date.now();
    }
    for (const { taskRunExternalId, retryCount, actionType } of stream.unsent) {
      const run = this.runs.get(taskRunExternalId);
      if (actionType === 0 && run?.retryCount === retryCount) this.reassign(run);
    }
  }

  #tick(): void {
    const now = Date.now();
    for (const worker of this.workers.values()) this.#check(worker, now);
    for (const run of this.#queues.overdue(now)) this.#expire(run);
    if (now - this.#polledAt < this.#limits.pollMs) return;
    this.#polledAt = now;
    for (const { wanted, tell } of this.subscribers) {
      for (const id of [...wanted]) {
        const run = this.runs.get(id);
        if (run && isOver(run) && wanted.delete(id)) tell(run);
      }
    }
  }

  #check(worker: WorkerState, now: number): void {
    const gone = !worker.stream && now - worker.closedAt > this.#limits.goneAfterMs;
    const lost = gone || now - worker.lastHeartbeat > this.#limits.silentAfterMs;
    for (const run of [...worker.running]) {
      if (lost) this.reassign(run);
      else if (run.timeoutAt <= now) this.#timeOut(run);
    }
  }

  #timeOut(run: Run): void {
    this.#count("timedOut");
    this.#tellCancelled(run);
    this.#leave(run, "timed out");
    if (this.#retried(run)) return;
    this.#finish(run, { status: "FAILED", error: `Task exceeded timeout of ${run.task.execution}` });
  }

  /** No worker took it in time: the real server calls that cancelled, and says no more. */
  #expire(run: Run): void {
    this.#count("expired");
    this.#queues.remove(run);
    this.#finish(run, { status: "CANCELLED", error: "" }, "FAILED");
  }
}

export function isOver({ status }: Run): boolean {
  return status !== "QUEUED" && status !== "RUNNING";
}
