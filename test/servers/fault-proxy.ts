import { once } from "node:events";
import { Agent, createServer, request as forward, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** What can go wrong between a client and an S3 server. */
export const FAULTS = [
  "slowDown", // 503 SlowDown, nothing done
  "serverError", // 500 InternalError, nothing done
  "conflict", // 409 ConditionalRequestConflict to a conditional write, else as serverError
  "resetBefore", // the connection breaks before anything is done
  "resetAfter", // the request is done, then the connection breaks
  "lostAnswer", // the request is done, and no answer ever comes
  "stallRequest", // the request is never read to its end
  "stallResponse", // half of the answer's body comes, then nothing more
  "truncate", // half of the answer's body comes, then the connection ends
  "lie", // half of the answer's body comes, with a length that says it is all
] as const;
export type Fault = (typeof FAULTS)[number];

/** Of every request, the share that meets each fault. */
export type FaultRates = Partial<Record<Fault, number>>;

export interface FaultProxy {
  /** Use it as the server's endpoint. */
  endpoint: string;
  /** Off, all requests pass (but those that `deny` names). */
  enabled: boolean;
  rates: FaultRates;
  /** Takes precedence over the rates: the fault of a request, or undefined to let it pass. */
  script: ((request: IncomingMessage) => Fault | undefined) | undefined;
  /** Requests whose URL matches are refused with 403 for good. */
  deny: RegExp | undefined;
  /** Added before each request. */
  latencyMs: number;
  requests: number;
  denied: number;
  injected: Record<Fault, number>;
  close(): Promise<void>;
}

/** An HTTP proxy on loopback that harms a share of what passes; the sequence of faults follows from the seed. */
export async function startFaultProxy(
  target: string,
  { seed = 1, rates = {}, latencyMs = 0 }: { seed?: number; rates?: FaultRates; latencyMs?: number } = {},
): Promise<FaultProxy> {
  const agent = new Agent({ keepAlive: true });
  const random = generator(seed);
  const held = new Set<Socket>();
  const server = createServer({ requestTimeout: 0, headersTimeout: 0 }, (request, response) => {
    handle(proxy, { target: new URL(target), agent, random, request, response }).catch(() => request.destroy());
  });
  server.on("connection", (socket) => {
    held.add(socket);
    socket.on("error", () => undefined);
    socket.once("close", () => held.delete(socket));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const proxy: FaultProxy = {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    enabled: true,
    rates,
    script: undefined,
    deny: undefined,
    latencyMs,
    requests: 0,
    denied: 0,
    injected: Object.fromEntries(FAULTS.map((fault) => [fault, 0])) as Record<Fault, number>,
    close: async () => {
      const closed = once(server, "close");
      server.close();
      for (const socket of held) socket.destroy();
      agent.destroy();
      await closed;
    },
  };
  return proxy;
}

interface Exchange {
  target: URL;
  agent: Agent;
  random: () => number;
  request: IncomingMessage;
  response: ServerResponse;
}

async function handle(proxy: FaultProxy, exchange: Exchange): Promise<void> {
  const { request, response } = exchange;
  proxy.requests++;
  const drawn = drawFault(proxy.rates, exchange.random());
  const fault = proxy.enabled ? (proxy.script ? proxy.script(request) : drawn) : undefined;
  if (proxy.latencyMs > 0) await sleep(proxy.latencyMs);
  if (proxy.deny?.test(decodeURIComponent(request.url ?? ""))) {
    proxy.denied++;
    await readAll(request);
    return refuse(response, 403, "AccessDenied");
  }
  if (fault) proxy.injected[fault]++;
  if (fault === "stallRequest") return; // with nobody reading, the client's writes come to a halt
  if (fault === "resetBefore") return void request.socket.resetAndDestroy();
  const body = await readAll(request);
  if (fault === "slowDown") return refuse(response, 503, "SlowDown");
  if (fault === "serverError") return refuse(response, 500, "InternalError");
  if (fault === "conflict") {
    const conditional = request.headers["if-match"] ?? request.headers["if-none-match"];
    const isWrite = request.method === "PUT" || request.method === "POST";
    return conditional && isWrite
      ? refuse(response, 409, "ConditionalRequestConflict")
      : refuse(response, 500, "InternalError");
  }
  await pass(exchange, body, fault);
}

/** Asks the server, waits until it is done, and answers as the fault has it. */
async function pass({ target, agent, request, response }: Exchange, body: Buffer, fault?: Fault): Promise<void> {
  const { method, url, headers } = request;
  const onward = forward({
    host: target.hostname,
    port: target.port,
    agent,
    method,
    path: url,
    headers, // with the client's Host, which is part of the signature
    setHost: false,
  });
  onward.end(body);
  const [answer] = (await once(onward, "response")) as [IncomingMessage];
  const content = await readAll(answer);
  if (fault === "lostAnswer") return;
  if (fault === "resetAfter") return void request.socket.resetAndDestroy();
  const half = content.subarray(0, content.length >> 1);
  const harmed = content.length > 0 && (fault === "stallResponse" || fault === "truncate");
  const lies = content.length > 0 && fault === "lie";
  response.writeHead(answer.statusCode ?? 502, {
    ...answer.headers,
    ...(lies ? { "content-length": half.length } : {}),
  });
  if (!harmed) return void response.end(lies ? half : content);
  response.write(half);
  if (fault === "truncate") setTimeout(() => request.socket.destroy(), 5);
}

function refuse(response: ServerResponse, status: number, code: string): void {
  const text = `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>injected</Message></Error>`;
  response.writeHead(status, { "content-type": "application/xml", "content-length": Buffer.byteLength(text) });
  response.end(text);
}

async function readAll(stream: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function drawFault(rates: FaultRates, drawn: number): Fault | undefined {
  let sum = 0;
  for (const fault of FAULTS) {
    sum += rates[fault] ?? 0;
    if (drawn < sum) return fault;
  }
  return undefined;
}

/** Mulberry32: small, seeded, good enough to choose faults by. */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
