import type { AssignedAction } from "@hatchet-dev/typescript-sdk/protoc/dispatcher/index.js";
import type { TriggerWorkflowRequest } from "@hatchet-dev/typescript-sdk/protoc/v1/shared/trigger.js";
import type { CreateTaskOpts } from "@hatchet-dev/typescript-sdk/protoc/v1/workflows.js";
import { goDuration, type Outbox } from "./hatchet-wire.ts";

export type RunStatus = "QUEUED" | "RUNNING" | "COMPLETED" | "FAILED" | "CANCELLED";

/** A value of a label, as both sides of a match have it. */
type Label = { strValue?: string | undefined; intValue?: number | undefined };
interface WantedLabel extends Label {
  required?: boolean | undefined;
  comparator?: number | undefined;
}

/** A workflow of one task, as it was registered. */
export interface TaskDefinition {
  workflow: string;
  workflowId: string;
  versionId: string;
  stepId: string;
  name: string;
  action: string;
  retries: number;
  backoff: { factor: number; mostSeconds: number } | undefined;
  executionMs: number;
  /** As the time limit is named in messages. */
  execution: string;
  scheduleMs: number;
  slots: Record<string, number>;
  labels: Record<string, WantedLabel>;
}

/** How one try of a run, or the run, ended. The server keeps all that it was told, also after the end. */
export interface Outcome {
  status: "COMPLETED" | "FAILED" | "CANCELLED";
  output?: string;
  error?: string;
}

export interface Attempt {
  retryCount: number;
  worker: string;
  startedAt: number;
  ended?: "completed" | "failed" | "cancelled" | "timed out" | "reassigned";
}

/** A workflow run, which has one task: both share their id, as on the real server. */
export interface Run {
  readonly id: string;
  readonly task: TaskDefinition;
  readonly input: string;
  readonly metadata: Record<string, unknown>;
  readonly parentTaskId: string | undefined;
  readonly childKey: string | undefined;
  readonly childIndex: number | undefined;
  readonly labels: Record<string, WantedLabel>;
  readonly priority: number;
  readonly createdAt: number;
  status: RunStatus;
  /** What the REST interface says of the end: it calls a schedule timeout a failure, and keeps its first word. */
  restStatus: RunStatus;
  retryCount: number;
  appRetries: number;
  internalRetries: number;
  worker: WorkerState | undefined;
  /** Its slot was given up though it runs on. */
  slotReleased: boolean;
  timeoutAt: number;
  scheduleBy: number;
  outcomes: Outcome[];
  readonly attempts: Attempt[];
}

export interface WorkerState {
  readonly id: string;
  readonly name: string;
  readonly actions: ReadonlySet<string>;
  labels: Record<string, Label>;
  /** Slots by type. */
  readonly slots: Record<string, number>;
  readonly used: Record<string, number>;
  /** Most slots in use at once, by type. */
  readonly mostUsed: Record<string, number>;
  readonly running: Set<Run>;
  stream: Outbox<AssignedAction> | undefined;
  paused: boolean;
  lastHeartbeat: number;
  closedAt: number;
}

const DEFAULT_SCHEDULE = "5m";

export function taskOf(workflow: string, task: CreateTaskOpts, ids: [string, string, string]): TaskDefinition {
  const factor = task.backoffFactor;
  return {
    workflow,
    workflowId: ids[0],
    versionId: ids[1],
    stepId: ids[2],
    name: task.readableId,
    action: task.action.toLowerCase(),
    retries: task.retries,
    backoff: factor ? { factor, mostSeconds: task.backoffMaxSeconds ?? Number.POSITIVE_INFINITY } : undefined,
    executionMs: goDuration(task.timeout || "60s"),
    execution: task.timeout || "60s",
    scheduleMs: goDuration(task.scheduleTimeout || DEFAULT_SCHEDULE),
    slots: Object.keys(task.slotRequests).length > 0 ? task.slotRequests : { default: 1 },
    labels: task.workerLabels,
  };
}

export function runOf(id: string, task: TaskDefinition, request: TriggerWorkflowRequest): Run {
  const now = Date.now();
  const parent = request.parentTaskRunExternalId;
  const ofParent = parent
    ? { hatchet__parent_step_run_id: parent, hatchet__parent_workflow_run_id: request.parentId ?? parent }
    : {};
  return {
    id,
    task,
    input: request.input || "{}",
    metadata: { ...(JSON.parse(request.additionalMetadata || "{}") as object), ...ofParent },
    parentTaskId: parent || undefined,
    childKey: request.childKey,
    childIndex: request.childIndex,
    labels: { ...task.labels, ...request.desiredWorkerLabels },
    priority: request.priority ?? 1,
    createdAt: now,
    status: "QUEUED",
    restStatus: "QUEUED",
    retryCount: 0,
    appRetries: 0,
    internalRetries: 0,
    worker: undefined,
    slotReleased: false,
    timeoutAt: Number.POSITIVE_INFINITY,
    scheduleBy: now + task.scheduleMs,
    outcomes: [],
    attempts: [],
  };
}

/** What a worker is sent of a run: to start it, or to cancel that try. */
export function actionOf(tenantId: string, run: Run, actionType: 0 | 1): AssignedAction {
  const { task } = run;
  const payload = {
    input: JSON.parse(run.input) as unknown,
    triggered_by: "manual",
    parents: {},
    triggers: { filter_payload: null },
    user_data: null,
    overrides: null,
  };
  return {
    tenantId,
    workflowRunId: run.id,
    getGroupKeyRunId: "",
    jobId: task.stepId,
    jobName: task.name,
    jobRunId: run.id,
    taskId: task.stepId,
    taskRunExternalId: run.id,
    actionId: task.action,
    actionType,
    actionPayload: actionType === 0 ? JSON.stringify(payload) : "",
    taskName: task.name,
    retryCount: run.retryCount,
    additionalMetadata: JSON.stringify(run.metadata),
    childWorkflowIndex: run.childIndex,
    childWorkflowKey: run.childKey,
    parentWorkflowRunId: run.parentTaskId,
    priority: run.priority,
    workflowId: task.workflowId,
    workflowVersionId: task.versionId,
  };
}

const COMPARE: readonly ((have: string | number, want: string | number) => boolean)[] = [
  (have, want) => have === want,
  (have, want) => have !== want,
  (have, want) => have > want,
  (have, want) => have >= want,
  (have, want) => have < want,
  (have, want) => have <= want,
];

/** May the worker have the run? Labels that are not required only bring it nearer. */
export function fits(worker: WorkerState, run: Run): boolean {
  return Object.entries(run.labels).every(([name, want]) => !want.required || matches(worker.labels[name], want));
}

function matches(have: Label | undefined, want: WantedLabel): boolean {
  const own = have?.strValue ?? have?.intValue;
  const wanted = want.strValue ?? want.intValue;
  return own !== undefined && wanted !== undefined && COMPARE[want.comparator ?? 0]!(own, wanted);
}

export function hasRoom(worker: WorkerState, task: TaskDefinition): boolean {
  return Object.entries(task.slots).every(
    ([type, units]) => (worker.slots[type] ?? 0) - (worker.used[type] ?? 0) >= units,
  );
}

export function freeSlots(worker: WorkerState): number {
  const sum = (slots: Record<string, number>) => Object.values(slots).reduce((all, units) => all + units, 0);
  return sum(worker.slots) - sum(worker.used);
}

/** Names a child among those of its parent: its key, or else its number. */
export function childName({
  parentTaskRunExternalId,
  childKey,
  childIndex,
}: TriggerWorkflowRequest): string | undefined {
  const own = childKey ?? childIndex;
  return parentTaskRunExternalId && own !== undefined ? `${parentTaskRunExternalId}.${own}` : undefined;
}
