import { randomUUID } from "node:crypto";
import { DispatcherDefinition } from "@hatchet-dev/typescript-sdk/protoc/dispatcher/dispatcher.js";
import {
  EventsServiceDefinition,
  type EventsServiceImplementation,
} from "@hatchet-dev/typescript-sdk/protoc/events/events.js";
import {
  AdminServiceDefinition,
  type AdminServiceImplementation,
  RunStatus as WireStatus,
} from "@hatchet-dev/typescript-sdk/protoc/v1/workflows.js";
import {
  WorkflowServiceDefinition,
  type WorkflowServiceImplementation,
} from "@hatchet-dev/typescript-sdk/protoc/workflows/workflows.js";
import { createServer, type Server, type ServerMiddleware, Status } from "nice-grpc";
import { dispatcherService, refuse, unsupported, uuid } from "./hatchet-dispatcher.ts";
import { type HatchetState, isOver } from "./hatchet-engine.ts";
import type { Misbehaviour } from "./hatchet-misbehaviour.ts";

/** The gRPC side: every call is counted, must bring the token, and may meet with an accident. */
export function grpcServer(
  state: HatchetState,
  misbehave: Misbehaviour,
  token: () => string,
  called: (method: string) => void,
): Server {
  const guard: ServerMiddleware = async function* (call, context) {
    const method = call.method.path.split("/").at(-1)!;
    called(method);
    if (context.metadata.get("authorization")?.replace(/^bearer /i, "") !== token()) {
      refuse(Status.UNAUTHENTICATED, "invalid auth token");
    }
    if (call.responseStream || call.requestStream) return yield* call.next(call.request as never, context);
    return misbehave.around(method, async () => {
      const { value } = await call.next(call.request, context).next();
      return value;
    });
  };
  const server = createServer().use(guard);
  server.add(DispatcherDefinition, dispatcherService(state, misbehave));
  server.add(WorkflowServiceDefinition, workflowService(state));
  server.add(AdminServiceDefinition, adminService(state));
  server.add(EventsServiceDefinition, eventsService());
  return server;
}

function workflowService(state: HatchetState): WorkflowServiceImplementation {
  return {
    triggerWorkflow: async (request) => ({ workflowRunId: state.trigger([request])[0]! }),
    bulkTriggerWorkflow: async ({ workflows }) => {
      return { workflowRunIds: state.trigger(workflows) };
    },
    putWorkflow: async () => unsupported("PutWorkflow of v0"),
    scheduleWorkflow: async () => unsupported("ScheduleWorkflow"),
    putRateLimit: async () => unsupported("PutRateLimit"),
  };
}

function adminService(state: HatchetState): AdminServiceImplementation {
  return {
    async putWorkflow({ name, tasks }) {
      const [task, ...others] = tasks;
      if (!task || others.length > 0 || task.isDurable) unsupported("workflows but those of one plain task");
      const { versionId, workflowId } = state.define(name.toLowerCase(), task!);
      return { id: versionId, workflowId };
    },
    async triggerWorkflowRun({ workflowName, input, additionalMetadata, priority, desiredWorkerLabels }) {
      const request = {
        name: workflowName,
        input: Buffer.from(input).toString(),
        additionalMetadata: Buffer.from(additionalMetadata).toString(),
        priority,
        desiredWorkerLabels,
      };
      return { externalId: state.trigger([request])[0]! };
    },
    async cancelTasks({ externalIds }) {
      for (const id of externalIds) uuid(id, "external id");
      const found = externalIds.filter((id) => state.runs.has(id));
      for (const id of found) state.cancel(state.runs.get(id)!);
      return { cancelledTasks: found };
    },
    async getRunDetails({ externalId }) {
      uuid(externalId, "external id");
      const run = state.runs.get(externalId) ?? refuse(Status.NOT_FOUND, "workflow run not found");
      const last = run.outcomes.at(-1);
      const task = {
        externalId: run.id,
        status: WireStatus[run.status],
        error: last ? (last.error ?? "") : undefined,
        output: last?.output === undefined ? undefined : Buffer.from(last.output),
        readableId: run.task.name,
        isEvicted: false,
      };
      return {
        input: Buffer.from(run.input),
        status: task.status,
        taskRuns: { [run.task.name]: task },
        done: isOver(run),
        additionalMetadata: Buffer.from(JSON.stringify(run.metadata)),
        isEvicted: false,
      };
    },
    replayTasks: async () => unsupported("ReplayTasks"),
    branchDurableTask: async () => unsupported("BranchDurableTask"),
  };
}

/** Logs and streams of tasks are taken, and forgotten. */
function eventsService(): EventsServiceImplementation {
  return {
    putLog: async () => ({}),
    putStreamEvent: async () => ({}),
    push: async () => unsupported("Push"),
    bulkPush: async () => unsupported("BulkPush"),
    replaySingleEvent: async () => unsupported("ReplaySingleEvent"),
  };
}

/** A token as the SDK reads it: nobody signs it, nobody checks the signature. */
export function tokenFor(tenantId: string, grpc: string, restUrl: string): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const now = Math.floor(Date.now() / 1_000);
  const claims = {
    aud: restUrl,
    exp: now + 24 * 3_600,
    grpc_broadcast_address: grpc,
    iat: now,
    iss: restUrl,
    server_url: restUrl,
    sub: tenantId,
    token_id: randomUUID(),
  };
  return `${part({ alg: "none" })}.${part(claims)}.unsigned`;
}
