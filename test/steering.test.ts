import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { localStorage, openProject, type Storage, s3Storage } from "scythe-ts";
import { afterAll, describe, expect, it } from "vitest";
import { deferred } from "../src/engine/toy-programs.testsuite.ts";
import { collect } from "./collect.ts";
import { drawn, REPEAT } from "./faults/seed.ts";
import { type S3Server, startS3Server } from "./servers/s3-server.ts";
import { commandLine, expectWhole, finished, isAlive, STEERED, stateIn, steadySpecs, until } from "./steered.ts";

const root = mkdtempSync(join(tmpdir(), "scythe-steering-"));
const server = await startS3Server();
for (const [name, value] of Object.entries(server?.env ?? {})) process.env[name] = value;
afterAll(async () => {
  rmSync(root, { recursive: true, force: true });
  await server?.stop();
});

const folderFor = (name: string) => mkdtempSync(join(root, `${name}-`));

function local(name: string) {
  const folder = folderFor(name);
  return { folder, uri: join(folder, "data"), storage: localStorage(join(folder, "data")) };
}

async function bucket(name: string) {
  const { endpoint, credentials } = server as S3Server;
  const own = await server!.createBucket();
  return { folder: folderFor(name), uri: `s3://${own}`, storage: s3Storage({ bucket: own, endpoint, credentials }) };
}

type Place = (name: string) => ReturnType<typeof local> | ReturnType<typeof bucket>;
const places: [string, Place][] = [
  ["on a disk", local],
  ["in a bucket", bucket],
];

describe.each(places)("a coordinator that is stopped, %s", (where, place) => {
  it.skipIf(where === "in a bucket" && !server)(
    "keeps its run from others, until one takes it over: then it has no effect when it wakes",
    async () => {
      const { folder, uri, storage } = await place("stop");
      const { scythe, start } = commandLine(uri);
      const { file, lines } = steadySpecs(folder, 240, 20);
      const first = start("run", "steady", file, "--chunk-size", "20");
      await until(() => lines().length > 45, "45 specs");
      first.kill("SIGSTOP");
      const id = (await collect(storage.list("steady/")))
        .find(({ key }) => key.endsWith("/state.yml"))!
        .key.slice(0, -10);

      const second = await scythe("resume", id);
      expect(second.code).toBe(2);
      expect(second.err).toContain(`is already driven by process ${first.pid}`);
      expect(second.err).toMatch(/hint: .*scythe watch .*scythe cancel .*--take-over/);

      const third = start("resume", id, "--take-over", "--json");
      await until(async () => (await stateIn(storage, id)).epoch === 2, "the second epoch");
      const { code, out } = await third.ended;
      expect(code).toBe(0);
      expect(JSON.parse(out)).toMatchObject({ status: "complete", succeeded: 240 });
      const before = await finished(storage, id);

      first.kill("SIGCONT");
      const woken = await first.ended;
      expect(woken.code).toBe(5);
      expect(woken.err).toContain(`was taken over by process ${third.pid}`);
      expect(await finished(storage, id)).toEqual(before);
      expect(await stateIn(storage, id)).toMatchObject({ status: "complete", epoch: 2, owner: { pid: third.pid } });
      await expectWhole(uri, id, storage, 240);
    },
  );
});

describe("a coordinator that is stopped", () => {
  it("has no effect when it wakes in the middle of the other's work", async () => {
    const { folder, uri, storage } = local("wake");
    const { start } = commandLine(uri);
    const { file, lines } = steadySpecs(folder, 400, 10);
    const first = start("run", "steady", file, "--chunk-size", "20");
    await until(() => lines().length > 45, "45 specs");
    first.kill("SIGSTOP");
    const second = start("resume", "steady", "--take-over");
    const noted = lines().length;
    await until(() => lines().length > noted + 45, "45 specs of the other");
    first.kill("SIGCONT");
    expect((await first.ended).code).toBe(5);
    const { code, out } = await second.ended;
    expect(code).toBe(0);
    await expectWhole(uri, out.trim(), storage, 400);
  });
});

describe.each(places)(`a driver that pauses just before it writes (${REPEAT}), %s,`, (where, place) => {
  const points: [string, RegExp, number][] = [
    ["a node's specs", /\/input\/recurse\/.*specs\.pq$/, 1],
    ["a wave", /\/waves\//, 0],
    ["a table of a part", /\/output\/.*\/tables\//, 0],
    ["a part", /\/parts\//, 1],
    ["what a node gathered", /\/gathered\/g0000\/rows\.pq$/, 1],
    ["the first final table", /\/final\/scalars\.pq$/, 0],
    ["the last final table", /\/final\/errors\.pq$/, 0],
    ["the report", /\/report\.yml$/, 0],
  ];

  const here = it.skipIf(where === "in a bucket" && !server);
  here.each(drawn(points, 3))(
    "%s, while another takes over and finishes, changes nothing",
    async (_name, point, maxDepth) => {
      const { folder, uri, storage } = await place("fence");
      const { specs } = steadySpecs(folder, 30, 0, (n) => (n === 7 ? "fails" : "well"));
      await using other = await openProject(STEERED, { storage: uri, engine: "inline" });
      let after: Record<string, string> | undefined;
      const overtaken = async (key: string) => {
        if (after || !point.test(key)) return;
        after = {};
        const run = await other.resume(key.split("/").slice(0, 3).join("/"), { takeOver: true });
        await run.result();
        after = await finished(storage, run.experimentId);
      };
      const slow: Storage = {
        ...storage,
        put: async (key, body, condition) => {
          await overtaken(key);
          return storage.put(key, body, condition);
        },
        putFile: async (key, path, options) => {
          await overtaken(key);
          return storage.putFile(key, path, options);
        },
      };
      await using project = await openProject(STEERED, { storage: slow, engine: "inline" });
      const run = await project.allocate("steady", specs, { chunkSize: 5, recursion: { factor: 3, maxDepth } });
      const id = run.experimentId;
      await expect(run.result()).rejects.toMatchObject({ code: "conflict", details: { epoch: 1, current: 2 } });
      expect(after).toBeDefined();
      expect(await finished(storage, id)).toEqual(after);
      expect(await stateIn(storage, id)).toMatchObject({ status: "complete", epoch: 2 });
      await expectWhole(uri, id, storage, 30, 1);
    },
  );

  here("the report, which then comes between another's tables, does not complete the run", async () => {
    const { folder, uri, storage } = await place("late");
    const { specs } = steadySpecs(folder, 10, 0);
    const gate = deferred();
    const reached = deferred();
    const slow: Storage = {
      ...storage,
      put: async (key, body, condition) => {
        if (key.endsWith("/report.yml")) {
          reached.resolve();
          await gate.promise;
        }
        return storage.put(key, body, condition);
      },
    };
    await using first = await openProject(STEERED, { storage: slow, engine: "inline" });
    const run = await first.allocate("steady", specs);
    await reached.promise;
    const dying: Storage = {
      ...storage,
      putFile: async (key, path, options) => {
        if (key.endsWith("/final/errors.pq")) throw new Error("the second driver dies between its tables");
        return storage.putFile(key, path, options);
      },
    };
    await using second = await openProject(STEERED, { storage: dying, engine: "inline" });
    const taken = await second.resume(run.experimentId, { takeOver: true });
    await expect(taken.result()).rejects.toThrow("dies between its tables");
    gate.resolve();
    await expect(run.result()).rejects.toMatchObject({ code: "conflict" });
    await expect(run.openResults()).rejects.toMatchObject({ code: "not_found" });
    await using third = await openProject(STEERED, { storage: uri, engine: "inline" });
    await (await third.resume(run.experimentId)).result();
    await expectWhole(uri, run.experimentId, storage, 10);
  });
});

describe("from another process, a run", () => {
  it("is paused, goes on, is watched and cancelled", async () => {
    const { folder, uri, storage } = local("steer");
    const { scythe, start } = commandLine(uri);
    const { file, lines } = steadySpecs(folder, 3_000, 20);
    const driver = start("run", "steady", file);
    await until(() => lines().length > 20, "20 specs");
    const id = (await scythe("pause", "steady")).out.trim();
    const state = () => stateIn(storage, id);
    expect((await state()).status).toBe("paused");
    const shown = JSON.parse((await scythe("show", id, "--json")).out);
    expect(shown.status).toBe("paused");
    // what was in hand has ended: the same number twice, a look of the driver apart
    let seen = -1;
    await until(async () => {
      const before = seen;
      seen = lines().length;
      await scythe("show", id);
      return before === seen;
    }, "a pause");
    const watching = start("watch", id, "--json");
    const resumed = await scythe("resume", id);
    expect(resumed).toMatchObject({ code: 0, out: `${id}\n` });
    await until(() => lines().length > seen + 20, "20 more specs");
    const cancelled = await scythe("cancel", id, "--json");
    expect(JSON.parse(cancelled.out)).toMatchObject({ status: "cancelled", driven: true });
    const ended = await driver.ended;
    expect(ended.code).toBe(5);
    expect(ended.err).toContain(`scythe resume ${id}`);
    const watched = await watching.ended;
    expect(watched.code).toBe(5);
    const told = watched.out
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(told.at(-1)).toMatchObject({ experiment_id: id, status: "cancelled", allocated: 3_000 });
    expect(new Set(lines()).size).toBe(lines().length); // drained: nothing was run twice, nothing is lost
    expect(told.at(-1).succeeded).toBe(lines().length);
    expect((await scythe("cancel", id)).code).toBe(0); // once more does no harm
  });

  it("is cancelled at once, though its specs hear of nothing", async () => {
    const { folder, uri, storage } = local("now");
    const { scythe, start } = commandLine(uri);
    const { file, lines } = steadySpecs(folder, 40, 0, (n) => (n < 30 ? "well" : "spawns"));
    const driver = start("run", "steady", file, "--chunk-size", "20");
    await until(() => lines().filter((line) => line.startsWith("child")).length > 0, "a hanging spec");
    const { out } = await scythe("cancel", "steady", "--now");
    expect((await driver.ended).code).toBe(5);
    expect((await stateIn(storage, out.trim())).status).toBe("cancelled");
    await expectNoneLeft(lines());
    const shown = JSON.parse((await scythe("show", "steady", "--json")).out);
    expect(shown.failed).toBe(0); // none is to blame
    expect(shown.succeeded).toBeGreaterThanOrEqual(20); // a part, and what was handed over before the kill
  });

  it("whose driver was killed leaves no process, is told of as lost, and can be driven on or given up", async () => {
    const { folder, uri, storage } = local("lost");
    const { scythe, start } = commandLine(uri);
    const { file, lines } = steadySpecs(folder, 4, 0, (n) => (n < 2 ? "spawns" : "hangs"));
    const driver = start("run", "steady", file, "--chunk-size", "1");
    await until(() => lines().filter((line) => line.startsWith("child")).length === 2, "two hanging specs");
    const watching = start("watch", "steady");
    driver.kill("SIGKILL");
    await expectNoneLeft(lines());
    const watched = await watching.ended;
    expect(watched.code).toBe(4);
    expect(watched.err).toMatch(/No process drives run .* any more[\s\S]*scythe resume/);
    expect(JSON.parse((await scythe("list", "steady", "--json")).out).runs[0].status).toBe("interrupted");
    expect((await scythe("pause", "steady")).code).toBe(2);
    const cancelled = await scythe("cancel", "steady");
    expect(cancelled.err).toContain("No process drove it any more");
    expect((await stateIn(storage, cancelled.out.trim())).status).toBe("cancelled");
  });

  it("ends at the second Ctrl-C with all that its specs have started, and says how to go on", async () => {
    const { folder, uri } = local("twice");
    const { start } = commandLine(uri);
    const { file, lines } = steadySpecs(folder, 2, 0, () => "spawns");
    const driver = start("run", "steady", file, "--chunk-size", "1");
    await until(() => lines().filter((line) => line.startsWith("child")).length === 2, "two hanging specs");
    const repeat = setInterval(() => driver.kill("SIGINT"), 300); // two within half a second are one
    const { code, err } = await driver.ended;
    clearInterval(repeat);
    expect(code).toBe(130);
    expect(err).toMatch(/scythe resume steady\/v1\.0\.0\//);
    await expectNoneLeft(lines());
  });
});

async function expectNoneLeft(lines: readonly string[]): Promise<void> {
  const pids = lines.flatMap((line) => Number(line.split(" ")[1]));
  expect(pids.length).toBeGreaterThan(0);
  await until(() => !pids.some(isAlive), "the end of all processes");
}

describe("--max-failures", () => {
  it.each([
    ["5", 60],
    ["1%", 500],
  ])("%s stops a run of many failures, keeps what is done, and says how to go on", async (limit, count) => {
    const { folder, uri, storage } = local("limit");
    const { scythe } = commandLine(uri);
    const { file, lines } = steadySpecs(folder, count, 5, (n) => (n % 2 === 1 ? "fails" : "well"));
    const stopped = await scythe("run", "steady", file, "--chunk-size", "10", "--max-failures", limit, "--json");
    expect(stopped.code).toBe(5);
    const outcome = JSON.parse(stopped.out);
    expect(outcome).toMatchObject({ status: "cancelled", allocated: count });
    expect(outcome.reason).toContain(`more than --max-failures allows (${limit}`);
    expect(outcome.failed).toBeGreaterThan(5);
    expect(outcome.missing).toBeGreaterThan(0);
    expect(stopped.err).toContain("--max-failures 100%");
    const { reason } = await stateIn(storage, outcome.experiment_id);
    expect(reason).toBe(outcome.reason);

    const before = lines().length;
    expect((await scythe("resume", "steady")).code).toBe(5); // the limit holds
    expect(lines().length).toBe(before);
    const resumed = await scythe("resume", "steady", "--max-failures", "100%", "--json");
    expect(resumed.code).toBe(3);
    expect(JSON.parse(resumed.out)).toMatchObject({ succeeded: count / 2, failed: count / 2, missing: 0 });
    expect(lines().length).toBe(count);
  });

  it("allows what it says, and is checked before anything is stored", async () => {
    const { folder, uri, storage } = local("allowed");
    const { scythe } = commandLine(uri);
    const { file } = steadySpecs(folder, 20, 0, (n) => (n < 2 ? "fails" : "well"));
    expect((await scythe("run", "steady", file, "--max-failures", "some")).code).toBe(2);
    expect(await storage.listFolders("")).toEqual([]);
    expect((await scythe("run", "steady", file, "--max-failures", "10%")).code).toBe(3);
  });
});
