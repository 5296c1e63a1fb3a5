import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { messageOf, ScytheError } from "../errors.ts";

/** What `GET /health` answers; `healthy` decides between 200 and 503. */
export interface Health {
  healthy: boolean;
  [fact: string]: unknown;
}

/** Answers the health checks of process managers (ECS, Kubernetes, Fly). @throws ScytheError `invalid_input` */
export async function serveHealth(port: number, host: string, health: () => Health): Promise<Server> {
  const server = createServer((request, response) => {
    const path = request.url?.split("?")[0];
    if (request.method !== "GET" || (path !== "/health" && path !== "/")) {
      response.writeHead(404).end();
      return;
    }
    const now = health();
    response.writeHead(now.healthy ? 200 : 503, { "content-type": "application/json" });
    response.end(`${JSON.stringify(now)}\n`);
  });
  server.listen(port, host);
  try {
    await once(server, "listening");
  } catch (cause) {
    throw new ScytheError(
      "invalid_input",
      `The health endpoint cannot listen on ${host}:${port}: ${messageOf(cause)}`,
      {
        hint: "Give another --health-port.",
        cause,
      },
    );
  }
  server.unref();
  return server;
}
