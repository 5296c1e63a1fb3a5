import { randomUUID } from "node:crypto";
import {
  type AssignedAction,
  type DispatcherServiceImplementation,
  StepActionEventType as Said,
  type StepRunResult,
  type SubscribeToWorkflowRunsRequest,
  type WorkflowRunEvent,
} from "@hatchet-dev/typescript-sdk/protoc/dispatcher/dispatcher.js";
import { ServerError, Status } from "nice-grpc";
import type { HatchetState, Subscriber } from "./hatchet-engine.ts";
import type { Misbehaviour } from "./hatchet-misbehaviour.ts";
import type { Outcome, Run, WorkerState } from "./hatchet-model.ts";
import { goDuration, Outbox } from "./hatchet-wire.ts";

/** What `GetVersion` says: the SDK speaks to older engines in other words. */
const VERSION = "v1.0.147";
const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i;

/** The service of workers, and of those who wait for ends. */
export function dispatcherService(state: HatchetState, misbehave: Misbehaviour): DispatcherServiceImplementation {
  const { tenantId } = state;

  const workerOf = (workerId: string): WorkerState => {
    uuid(workerId, "worker ID");
    return state.workers.get(workerId) ?? refuse(Status.NOT_FOUND, `worker not found: ${workerId}`);
  };

  async function* listen(workerId: string, signal: AbortSignal): AsyncGenerator<AssignedAction> {
    const worker = workerOf(workerId);
    const stream = new Outbox<AssignedAction>();
    const forget = misbehave.watch("workers", stream);
    const close = () => stream.end();
    signal.addEventListener("abort", close);
    state.listen(worker, stream);
    try {
      yield* stream;
    } finally {
      stream.end();
      forget();
      signal.removeEventListener("abort", close);
      state.hangUp(worker, stream);
    }
  }

  async function* tellEnds(asked: AsyncIterable<SubscribeToWorkflowRunsRequest>, signal: AbortSignal) {
    const stream = new Outbox<WorkflowRunEvent>();
    const forget = misbehave.watch("runs", stream);
    const close = () => stream.end();
    const subscriber: Subscriber = {
      wanted: new Set(),
      tell: (run) => misbehave.send("Notices", stream, noticeOf(run)),
    };
    signal.addEventListener("abort", close);
    state.subscribers.add(subscriber);
    const reading = (async () => {
      for await (const { workflowRunId } of asked) subscriber.wanted.add(workflowRunId);
    })();
    void reading.then(close, close);
    try {
      yield* stream;
    } finally {
      stream.end();
      forget();
      signal.removeEventListener("abort", close);
      state.subscribers.delete(subscriber);
    }
  }

  return {
    async getVersion() {
      return { version: VERSION };
    },
    async register({ workerName, actions, slots, slotConfig, labels }) {
      const worker: WorkerState = {
        id: randomUUID(),
        name: workerName,
        actions: new Set(actions.map((action) => action.toLowerCase())),
        labels,
        slots: Object.keys(slotConfig).length > 0 ? slotConfig : { default: slots ?? 100 },
        used: {},
        mostUsed: {},
        running: new Set(),
        stream: undefined,
        paused: false,
        lastHeartbeat: Date.now(),
        closedAt: Date.now(),
      };
      state.workers.set(worker.id, worker);
      return { tenantId, workerId: worker.id, workerName };
    },
    listen: ({ workerId }, { signal }) => listen(workerId, signal),
    listenV2: ({ workerId }, { signal }) => listen(workerId, signal),
    async heartbeat({ workerId }) {
      const worker = workerOf(workerId);
      if (!worker.stream) {
        refuse(Status.FAILED_PRECONDITION, `Heartbeat rejected: worker stream is not active: ${workerId}`);
      }
      worker.lastHeartbeat = Date.now();
      return {};
    },
    async unsubscribe({ workerId }) {
      workerOf(workerId).stream?.end();
      return { tenantId, workerId };
    },
    async upsertWorkerLabels({ workerId, labels }) {
      const worker = workerOf(workerId);
      worker.labels = { ...worker.labels, ...labels };
      state.pump();
      return { tenantId, workerId };
    },
    async sendStepActionEvent({ workerId, taskRunExternalId, eventType, eventPayload, retryCount, shouldNotRetry }) {
      uuid(taskRunExternalId, "task external run id");
      const run =
        state.runs.get(taskRunExternalId) ??
        refuse(Status.INVALID_ARGUMENT, `invalid task external run id ${taskRunExternalId}: no rows in result set`);
      const retry = retryCount ?? run.retryCount;
      if (eventType === Said.STEP_EVENT_TYPE_COMPLETED) {
        state.report(run, retry, { status: "COMPLETED", output: eventPayload });
      } else if (eventType === Said.STEP_EVENT_TYPE_FAILED) {
        state.report(run, retry, { status: "FAILED", error: eventPayload }, shouldNotRetry);
      } else if (eventType === Said.STEP_EVENT_TYPE_CANCELLED) state.cancel(run);
      return { tenantId, workerId };
    },
    async refreshTimeout({ taskRunExternalId, incrementTimeoutBy }) {
      uuid(taskRunExternalId, "task external run id");
      const run = state.runs.get(taskRunExternalId);
      if (run?.status !== "RUNNING") refuse(Status.NOT_FOUND, `task run not found: ${taskRunExternalId}`);
      run!.timeoutAt += goDuration(incrementTimeoutBy);
      return { timeoutAt: new Date(run!.timeoutAt) };
    },
    async releaseSlot({ taskRunExternalId }) {
      const run = state.runs.get(taskRunExternalId);
      if (run) state.releaseSlot(run);
      return {};
    },
    subscribeToWorkflowRuns: (asked, { signal }) => tellEnds(asked, signal),
    subscribeToWorkflowEvents: () => unsupported("SubscribeToWorkflowEvents"),
    sendBatchActionEvent: async () => unsupported("SendBatchActionEvent"),
    sendGroupKeyActionEvent: async () => unsupported("SendGroupKeyActionEvent"),
    putOverridesData: async () => ({}),
    restoreEvictedTask: async () => unsupported("RestoreEvictedTask"),
  };
}

function noticeOf(run: Run): WorkflowRunEvent {
  return {
    workflowRunId: run.id,
    eventType: 0,
    eventTimestamp: new Date(),
    results: run.outcomes.map((outcome) => resultOf(run, outcome)),
  };
}

function resultOf(run: Run, { output, error }: Outcome): StepRunResult {
  return { taskRunExternalId: run.id, taskName: run.task.name, jobRunId: run.id, output, error };
}

/** @throws as the server refuses an id of another form */
export function uuid(id: string, what: string): void {
  if (!UUID.test(id)) refuse(Status.INVALID_ARGUMENT, `invalid ${what}: ${id}`);
}

export function refuse(status: Status, message: string): never {
  throw new ServerError(status, message);
}

/** What the stand-in does not know of is refused, never passed over. */
export function unsupported(method: string): never {
  return refuse(Status.UNIMPLEMENTED, `the stand-in has no ${method}`);
}
