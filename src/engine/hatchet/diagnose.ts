import { access, constants } from "node:fs/promises";
import { messageOf } from "../../errors.ts";
import { Fleet, hasLabels } from "./fleet.ts";
import { labelText, leafLabels } from "./host.ts";
import type { HatchetOptions } from "./options.ts";
import { type Client, type Connection, connect, isEmbedded, refusalOf } from "./sdk.ts";
import { assertClientHooks } from "./sdk-hooks.ts";
import type { Finding } from "./shown.ts";
import { leafTaskName, nodeTaskName } from "./wire.ts";

/** An id that no run has: a server that works says so. */
const UNKNOWN_RUN = "00000000-0000-4000-8000-000000000000";
const CLOCK_MS = 5_000;
const SOON_MS = 14 * 24 * 3_600_000;

/** Looks at token, server, clock and workers, in the order in which they are needed; stops where it makes no sense to go on. */
export async function diagnose(options: HatchetOptions): Promise<Finding[]> {
  const { connection, namespace } = options;
  if (isEmbedded(connection)) return [await embeddedFinding(connection.embeddedBinary)];
  const token = tokenFinding(connection.token);
  if (token.state === "problem") return [token];
  const client = await connectTo(connection, namespace).catch((error) => error as Error);
  if (client instanceof Error)
    return [token, { what: "client", state: "problem", said: client.message, todo: hintOf(client) }];
  const grpc = await grpcFinding(client);
  if (grpc.state === "problem") return [token, grpc];
  const rest = await restFindings(client);
  const workers = rest.some(({ state }) => state === "problem") ? [] : await workerFindings(client, options);
  return [token, grpc, ...rest, ...workers];
}

/** The engine that a run would start beside itself: nothing is started, or downloaded, to look. */
async function embeddedFinding(path: string | undefined): Promise<Finding> {
  const what = "embedded engine";
  if (!path) return { what, state: "ok", said: "the SDK downloads it from GitHub at the first use" };
  try {
    await access(path, constants.X_OK);
    return { what, state: "ok", said: path };
  } catch (error) {
    const todo = "Let HATCHET_CLIENT_EMBEDDED_BINARY_PATH name an executable hatchet-embedded-sidecar.";
    return { what, state: "problem", said: `${path} cannot be run: ${messageOf(error)}`, todo };
  }
}

async function connectTo(connection: Connection, namespace: string | undefined): Promise<Client> {
  const client = await connect(connection, namespace, () => undefined);
  assertClientHooks(client);
  return client;
}

/** A token is a JWT, whose end can be read: an expired one is the most common trouble. */
function tokenFinding(token: string | undefined): Finding {
  const what = "token";
  const todo = "Make one in Hatchet's dashboard (Settings → API Tokens) and set HATCHET_CLIENT_TOKEN.";
  if (!token) return { what, state: "problem", said: "HATCHET_CLIENT_TOKEN is not set", todo };
  try {
    const claims = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString()) as { exp?: number };
    const ends = claims.exp === undefined ? Number.POSITIVE_INFINITY : claims.exp * 1000;
    if (ends < Date.now()) return { what, state: "problem", said: `it ended ${dateOf(ends)}`, todo };
    if (ends < Date.now() + SOON_MS) return { what, state: "warning", said: `it ends ${dateOf(ends)}`, todo };
    return { what, state: "ok", said: Number.isFinite(ends) ? `valid until ${dateOf(ends)}` : "set, without an end" };
  } catch {
    return { what, state: "problem", said: "HATCHET_CLIENT_TOKEN is not a token of Hatchet's", todo };
  }
}

async function grpcFinding(client: Client): Promise<Finding> {
  const what = "server (gRPC)";
  const at = client.config.host_port;
  try {
    await client.runs.getDetails(UNKNOWN_RUN);
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal === "UNAUTHENTICATED" || refusal === "PERMISSION_DENIED") {
      return { what, state: "problem", said: `${at} refuses the token`, todo: "Make a token on this very server." };
    }
    if (refusal !== "NOT_FOUND") {
      const todo =
        "Check HATCHET_CLIENT_HOST_PORT (host:port), the firewall, and HATCHET_CLIENT_TLS_STRATEGY (none, tls or mtls).";
      return { what, state: "problem", said: `${at} does not answer: ${messageOf(error).slice(0, 200)}`, todo };
    }
  }
  return { what, state: "ok", said: `${at} answers` };
}

async function restFindings(client: Client): Promise<Finding[]> {
  const what = "server (REST)";
  const at = client.config.api_url;
  try {
    const asked = Date.now();
    const { data, headers } = await client.api.infoGetVersion();
    const answered = Date.now();
    await client.workers.list();
    const version: Finding = { what, state: "ok", said: `${at} answers, version ${data.version}` };
    const theirs = Date.parse(String(headers.date));
    return [version, ...(Number.isNaN(theirs) ? [] : [clockFinding(theirs - (asked + answered) / 2)])];
  } catch (error) {
    const todo = "Set HATCHET_CLIENT_API_URL to the server's address for browsers. Cancelling and draining need it.";
    return [{ what, state: "problem", said: `${at} does not answer: ${messageOf(error)}`, todo }];
  }
}

function clockFinding(aheadMs: number): Finding {
  const seconds = Math.round(Math.abs(aheadMs) / 1000);
  if (Math.abs(aheadMs) < CLOCK_MS) return { what: "clock", state: "ok", said: "agrees with the server's" };
  const todo = "Let both machines follow a time server: S3 refuses requests that are minutes off.";
  return {
    what: "clock",
    state: "warning",
    said: `${seconds} s ${aheadMs > 0 ? "behind" : "ahead of"} the server's`,
    todo,
  };
}

async function workerFindings(client: Client, options: HatchetOptions): Promise<Finding[]> {
  const workers = await new Fleet(client).workers();
  const before = (client.config.namespace ?? "").toLowerCase();
  return Object.entries(options.routes).map(([name, route]) => {
    const serves = (task: string, labels: Readonly<Record<string, string>>) => {
      const serving = workers.filter(({ tasks }) => tasks.includes(`${before}${task}`.toLowerCase()));
      return { all: serving, fit: serving.filter((worker) => hasLabels(worker, labels)) };
    };
    const leaves = serves(leafTaskName(name), leafLabels(route));
    const nodes = serves(nodeTaskName(name, 0), route.code);
    const what = `workers for ${name}`;
    const slots = leaves.fit.reduce((sum, worker) => sum + (worker.slots.default?.limit ?? 0), 0);
    if (slots > 0 && nodes.fit.length > 0) {
      return { what, state: "ok", said: `${leaves.fit.length} with ${slots} slots, ${nodes.fit.length} for nodes` };
    }
    const other = leaves.all.length > 0 && leaves.fit.length === 0;
    const lack = other ? `found ${leaves.all.length}, none with ${labelText(leafLabels(route))}` : "none is there";
    const todo = other
      ? "Start the workers with the same code and storage as this project, and with the labels that the experiment requires."
      : "Start one: `scythe worker` in the project. Runs wait until then.";
    const said = slots > 0 ? "none takes nodes (SCYTHE_WORKER_DOES_FAN)" : lack;
    return { what, state: "warning", said, todo };
  });
}

function hintOf(error: Error): string {
  return (error as { hint?: string }).hint ?? "See docs/hatchet.md.";
}

function dateOf(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}
