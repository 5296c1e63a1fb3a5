import { createRequire } from "node:module";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { isScytheError } from "../../errors.ts";
import { hatchetEngine } from "./hatchet.ts";
import type { HatchetOptions } from "./options.ts";
import { type Client, connect, loadSdk, SDK_PACKAGE, type SdkWorker, sdkVersion } from "./sdk.ts";
import {
  assertClientHooks,
  assertWorkerHooks,
  makeWorkerWithoutSignalHandlers,
  reportUntilHeard,
} from "./sdk-hooks.ts";

/** A token as the SDK reads it: where its server is, and that it is anybody's. Nothing is asked of a server here. */
const CLAIMS = { sub: "00000000-0000-4000-8000-000000000000", server_url: "http://localhost", exp: 9_999_999_999 };
const TOKEN = ["{}", JSON.stringify({ ...CLAIMS, grpc_broadcast_address: "localhost:9" }), ""]
  .map((part) => Buffer.from(part).toString("base64url"))
  .join(".");

const OPTIONS = { connection: { token: TOKEN }, log: () => undefined } as unknown as HatchetOptions;

const realClient = (): Promise<Client> => connect({ token: TOKEN }, undefined, () => undefined);

/** What a broken client is made of. */
interface Insides {
  dispatcher: Client["dispatcher"];
  send: unknown;
  heartbeat: unknown;
  runs: object;
}

function errorOf(work: () => void): unknown {
  try {
    work();
    return undefined;
  } catch (error) {
    return error;
  }
}

describe("the hooks into the SDK", () => {
  beforeEach(() => {
    vi.stubEnv("HATCHET_CLIENT_TLS_STRATEGY", "none");
  });
  afterEach(() => {
    vi.unstubAllEnvs();
    vi.restoreAllMocks();
  });

  it("are all there in the release that is installed", async () => {
    const client = await realClient();
    assertClientHooks(client);
    assertWorkerHooks(await client.worker("any", { slots: 1, handleKill: false }));
  });

  it.each<[string, (insides: Insides) => object]>([
    [
      "client.dispatcher.sendStepActionEvent",
      ({ heartbeat, runs }) => ({ dispatcher: { client: { heartbeat } }, ...runs }),
    ],
    [
      "client.dispatcher.client.heartbeat",
      ({ send, runs }) => ({ dispatcher: { sendStepActionEvent: send }, ...runs }),
    ],
    ["client._listener.client.subscribeToWorkflowRuns", ({ dispatcher }) => ({ dispatcher })],
    [
      "client._listener.client.subscribeToWorkflowRuns",
      ({ dispatcher }) => ({ dispatcher, _listener: { client: {} } }),
    ],
  ])("are missed by name and version where a release has no %s", async (name, broken) => {
    const { dispatcher, _listener } = await realClient();
    const [send, { heartbeat }] = [dispatcher.sendStepActionEvent, dispatcher.client];
    const client = broken({ dispatcher, send, heartbeat, runs: { _listener } }) as Client;
    const error = errorOf(() => assertClientHooks(client, "9.8.7"));
    expect(error).toMatchObject({
      code: "engine",
      details: { missing: [name] },
      hint: expect.stringContaining("~1.33"),
    });
    expect((error as Error).message).toContain(`@hatchet-dev/typescript-sdk 9.8.7 has no ${name}`);
  });

  it("belong to the minor release that package.json asks for", () => {
    const { peerDependencies } = createRequire(import.meta.url)("../../../package.json");
    const [name, range] = [SDK_PACKAGE.slice(0, SDK_PACKAGE.lastIndexOf("@")), SDK_PACKAGE.split("@").at(-1)];
    expect(peerDependencies[name]).toBe(`${range}.0`);
  });

  it("are missed on a worker, too", () => {
    const error = errorOf(() => assertWorkerHooks({} as SdkWorker));
    expect(isScytheError(error) && error.message).toContain(`${sdkVersion()} has no worker._internal`);
  });

  it("are looked for before an engine is used, and before a worker is", async () => {
    const client = await realClient();
    vi.spyOn(loadSdk().HatchetClient, "init").mockReturnValue({ ...client, dispatcher: {} } as never);
    const engine = hatchetEngine({}, OPTIONS);
    await expect(engine.attach("any")).rejects.toThrow(
      "has no client.dispatcher.sendStepActionEvent, no client.dispatcher",
    );
    const making = makeWorkerWithoutSignalHandlers(async () => ({}) as SdkWorker);
    await expect(making).rejects.toThrow("has no worker._internal");
  });

  it("are set on the client of an engine", async () => {
    const client = await realClient();
    const { sendStepActionEvent } = client.dispatcher;
    vi.spyOn(loadSdk().HatchetClient, "init").mockReturnValue(client as never);
    vi.spyOn(client.runs, "getDetails").mockRejectedValue(new Error("GET 3 INVALID_ARGUMENT: no id"));
    const engine = hatchetEngine({}, OPTIONS);
    await expect(engine.attach("any")).rejects.toThrow("Hatchet has no run any");
    expect(client.dispatcher.sendStepActionEvent).not.toBe(sendStepActionEvent);
    await engine.close();
  });

  it("report a task's end until the server takes it, and not what it refuses", async () => {
    const client = await realClient();
    const answers = [
      "14 UNAVAILABLE: restarting",
      "14 UNAVAILABLE: restarting",
      undefined,
      "5 NOT_FOUND: no such task",
    ];
    const sent: string[] = [];
    client.dispatcher.sendStepActionEvent = async (event: unknown) => {
      sent.push(event as string);
      const refusal = answers.shift();
      if (refusal !== undefined) throw new Error(`/Dispatcher/SendStepActionEvent ${refusal}`);
      return "heard" as never;
    };
    reportUntilHeard(client, () => undefined);
    expect(await client.dispatcher.sendStepActionEvent("end" as never)).toBe("heard");
    await expect(client.dispatcher.sendStepActionEvent("other" as never)).rejects.toThrow("NOT_FOUND");
    expect(sent).toEqual(["end", "end", "end", "other"]);
  });

  it("take the SDK's handlers of signals away, and nobody else's", async () => {
    const client = await realClient();
    const own = () => undefined;
    process.on("SIGTERM", own);
    const before = (["SIGTERM", "SIGINT"] as const).map((signal) => process.listeners(signal));
    await makeWorkerWithoutSignalHandlers(() => client.worker("any", { slots: 1, handleKill: false }));
    expect((["SIGTERM", "SIGINT"] as const).map((signal) => process.listeners(signal))).toEqual(before);
    process.off("SIGTERM", own);
  });
});
