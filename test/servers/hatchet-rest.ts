import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import { type HatchetState, isOver } from "./hatchet-engine.ts";
import type { Misbehaviour } from "./hatchet-misbehaviour.ts";
import { freeSlots, type Run, type WorkerState } from "./hatchet-model.ts";

class Refusal extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

interface Call {
  /** What the pattern's groups caught. */
  caught: string[];
  query: URLSearchParams;
  body: unknown;
}
type Route = [name: string, method: string, path: RegExp, answer: (call: Call) => unknown];

/** The few calls that the SDK makes by REST. A call is named as in the SDK's generated client (`v1TaskCancel`, …). */
export function restServer(
  state: HatchetState,
  misbehave: Misbehaviour,
  token: () => string,
  called: (method: string) => void,
): Server {
  const routes = routesOf(state);
  return createServer((request, response) => {
    void answer(request).then(
      (body) => response.setHeader("content-type", "application/json").end(JSON.stringify(body)),
      (error: unknown) => {
        if (!(error instanceof Refusal)) return void response.destroy(); // as a connection that breaks
        const body = JSON.stringify({ message: error.message });
        response.writeHead(error.status, { "content-type": "application/json" }).end(body);
      },
    );
  });

  async function answer(request: IncomingMessage): Promise<unknown> {
    const text: string[] = [];
    for await (const chunk of request.setEncoding("utf8")) text.push(chunk as string);
    const url = new URL(request.url ?? "/", "http://stand-in");
    if (request.headers.authorization !== `Bearer ${token()}`) throw new Refusal(403, "forbidden");
    for (const [name, method, path, handle] of routes) {
      const found = request.method === method && path.exec(url.pathname);
      if (!found) continue;
      called(name);
      const call = {
        caught: found.slice(1),
        query: url.searchParams,
        body: text.length ? JSON.parse(text.join("")) : {},
      };
      return misbehave.around(name, async () => handle(call));
    }
    throw new Refusal(501, `the stand-in has no ${request.method} ${url.pathname}`);
  }
}

const ID = "([^/]+)";
const path = (...parts: string[]) => new RegExp(`^/api/v1/${parts.join("/")}$`);

function routesOf(state: HatchetState): Route[] {
  const runOf = ([id]: string[]): Run => {
    if (!/^[\da-f-]{36}$/i.test(id!)) throw new Refusal(400, "invalid workflow run id");
    const run = state.runs.get(id!);
    if (!run) throw new Refusal(404, "not found");
    return run;
  };
  const workerOf = ([id]: string[]): WorkerState => {
    const worker = state.workers.get(id!);
    if (!worker) throw new Refusal(404, "not found");
    return worker;
  };
  const cancel = ({ externalIds, filter }: { externalIds?: string[]; filter?: { additionalMetadata?: string[] } }) => {
    const filtered = () =>
      [...state.runs.values()].filter((run) => !isOver(run) && has(run, filter?.additionalMetadata));
    const ids = externalIds ?? filtered().map(({ id }) => id);
    for (const id of ids) {
      const run = state.runs.get(id);
      if (run) state.cancel(run);
    }
    return { ids };
  };
  return [
    [
      "tenantGet",
      "GET",
      path("tenants", ID),
      () => ({ metadata: metadata(state.tenantId, 0), name: "stand-in", version: "V1" }),
    ],
    ["workerList", "GET", path("tenants", ID, "worker"), () => ({ rows: [...state.workers.values()].map(workerRow) })],
    ["workerGet", "GET", path("workers", ID), ({ caught }) => workerRow(workerOf(caught))],
    [
      "workerUpdate",
      "PATCH",
      path("workers", ID),
      ({ caught, body }) => {
        const worker = workerOf(caught);
        worker.paused = (body as { isPaused?: boolean }).isPaused ?? worker.paused;
        state.pump();
        return workerRow(worker);
      },
    ],
    ["v1TaskCancel", "POST", path("stable", "tenants", ID, "tasks", "cancel"), ({ body }) => cancel(body as object)],
    [
      "v1WorkflowRunGetStatus",
      "GET",
      path("stable", "workflow-runs", ID, "status"),
      ({ caught }) => runOf(caught).restStatus,
    ],
    [
      "v1WorkflowRunGet",
      "GET",
      path("stable", "workflow-runs", ID),
      ({ caught }) => ({ run: runRow(runOf(caught)), tasks: [runRow(runOf(caught))], taskEvents: [], shape: [] }),
    ],
    ["v1WorkflowRunList", "GET", path("stable", "tenants", ID, "workflow-runs"), ({ query }) => runList(state, query)],
  ];
}

function runList(state: HatchetState, query: URLSearchParams) {
  const all = (name: string) => [...query.getAll(name), ...query.getAll(`${name}[]`)];
  const statuses = all("statuses");
  const found = [...state.runs.values()].filter(
    (run) =>
      has(run, all("additional_metadata")) &&
      (statuses.length === 0 || statuses.includes(run.restStatus)) &&
      run.createdAt >= Date.parse(query.get("since") ?? "1970-01-01"),
  );
  const offset = Number(query.get("offset") ?? 0);
  const limit = Number(query.get("limit") ?? 50);
  const rows = found
    .reverse()
    .slice(offset, offset + limit)
    .map(runRow);
  return { rows, pagination: { current_page: 1 + offset / limit, num_pages: Math.ceil(found.length / limit) } };
}

function has(run: Run, pairs: readonly string[] | undefined): boolean {
  return (pairs ?? []).every((pair) => {
    const [name, ...value] = pair.split(":");
    return String(run.metadata[name!]) === value.join(":");
  });
}

function runRow(run: Run) {
  const last = run.outcomes[0];
  return {
    metadata: metadata(run.id, run.createdAt),
    taskExternalId: run.id,
    workflowRunExternalId: run.id,
    actionId: run.task.action,
    displayName: run.task.name,
    workflowName: run.task.workflow,
    status: run.restStatus,
    retryCount: run.retryCount,
    input: { input: JSON.parse(run.input) as unknown },
    output: last?.output ? (JSON.parse(last.output) as unknown) : undefined,
    errorMessage: last?.error ?? "",
    additionalMetadata: run.metadata,
  };
}

function workerRow(worker: WorkerState) {
  const { id, name, actions, labels, slots, used, paused, stream, lastHeartbeat } = worker;
  return {
    metadata: metadata(id, lastHeartbeat),
    name,
    actions: [...actions],
    labels: Object.entries(labels).map(([key, label]) => ({ key, value: label.strValue ?? label.intValue })),
    slotConfig: Object.fromEntries(
      Object.entries(slots).map(([type, limit]) => [type, { limit, available: limit - (used[type] ?? 0) }]),
    ),
    availableRuns: freeSlots(worker),
    status: paused ? "PAUSED" : stream ? "ACTIVE" : "INACTIVE",
    lastHeartbeatAt: new Date(lastHeartbeat).toISOString(),
    type: "SELFHOSTED",
  };
}

function metadata(id: string, at: number) {
  const time = new Date(at).toISOString();
  return { id, createdAt: time, updatedAt: time };
}

/** @returns the port */
export async function listenOnLoopback(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as { port: number }).port;
}
