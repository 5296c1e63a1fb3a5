import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it, vi } from "vitest";
import { type HatchetStandIn, startHatchetStandIn } from "../../../test/servers/hatchet-stand-in.ts";
import { Recorder, toyPrograms } from "../toy-programs.testsuite.ts";
import { diagnose } from "./diagnose.ts";
import { hatchetEngine } from "./hatchet.ts";
import type { HatchetOptions } from "./options.ts";

/** As the SDK's sidecar: tells by a file where its engine is, and ends when its standard input does, or at SIGTERM. */
const SIDECAR = `#!${process.execPath}
const { writeFileSync } = require("node:fs");
const handshake = process.argv[process.argv.indexOf("-handshake-file") + 1];
writeFileSync(handshake, process.env.TEST_HANDSHAKE);
const end = () => {
  writeFileSync(process.env.TEST_ENDED, "");
  process.exit(0);
};
process.stdin.on("end", end).resume();
process.on("SIGTERM", end);
`;

describe("the embedded engine", () => {
  const folder = mkdtempSync(join(tmpdir(), "scythe-embedded-"));
  const binary = join(folder, "sidecar.cjs");
  const ended = join(folder, "ended");
  let server: HatchetStandIn | undefined;
  afterEach(async () => {
    vi.unstubAllEnvs();
    await server?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it("is started without a token, served by the process that starts runs, and ended with it", async () => {
    server = await startHatchetStandIn();
    const { HATCHET_CLIENT_TOKEN, HATCHET_CLIENT_HOST_PORT, HATCHET_CLIENT_API_URL } = server.env;
    writeFileSync(binary, SIDECAR, { mode: 0o755 });
    vi.stubEnv("HATCHET_CLIENT_TOKEN", "");
    vi.stubEnv("TEST_ENDED", ended);
    vi.stubEnv(
      "TEST_HANDSHAKE",
      JSON.stringify({
        token: HATCHET_CLIENT_TOKEN,
        grpc_address: HATCHET_CLIENT_HOST_PORT,
        api_url: HATCHET_CLIENT_API_URL,
      }),
    );
    const options: HatchetOptions = {
      connection: { embedded: true, embeddedBinary: binary },
      routes: { count: { code: {}, requires: {}, leafScheduleMs: 60_000, leafSilenceMs: 60_000 } },
      worker: {
        name: "ScytheWorker--Test",
        slots: 2,
        nodeSlots: 2,
        labels: {},
        doesFan: true,
        doesLeaf: true,
        graceMs: 2_000,
        additionalWorkflows: [],
      },
      nodeScheduleMs: 60_000,
      nodeExecutionMs: 60_000,
      log: () => undefined,
    };
    expect(await diagnose(options)).toEqual([{ what: "embedded engine", state: "ok", said: binary }]);
    const engine = hatchetEngine(toyPrograms(new Recorder()), options);
    const run = await engine.start("count", { name: "root", waves: [3] });
    expect(await run.result()).toEqual({ leaves: 3 });
    expect(existsSync(ended)).toBe(false);
    await engine.close();
    while (!existsSync(ended)) await sleep(5);
  });
});
