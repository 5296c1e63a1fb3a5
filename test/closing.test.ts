import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { localStorage, openProject } from "scythe-ts";
import { afterAll, describe, expect, it } from "vitest";
import { collect } from "./collect.ts";
import { litterIn } from "./litter.ts";
import { expectWhole, isAlive, STEERED, steadySpecs, until } from "./steered.ts";

const root = mkdtempSync(join(tmpdir(), "scythe-closing-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const INDEX = pathToFileURL(join(import.meta.dirname, "../dist/index.js")).href;

/** A program of somebody who uses the package, in a process of its own; resolves when that has ended by itself. */
async function program(body: string, { specs = 6, ms = 5 } = {}) {
  const folder = mkdtempSync(join(root, "case-"));
  const { lines } = steadySpecs(folder, specs, ms);
  const data = join(folder, "data");
  const tmp = join(folder, "tmp");
  mkdirSync(tmp);
  const path = join(folder, "program.mjs");
  const text = `
    import { readFileSync } from "node:fs";
    import { openProject } from ${JSON.stringify(INDEX)};
    const specs = readFileSync(${JSON.stringify(join(folder, "specs.jsonl"))}, "utf8").trim().split("\\n").map(JSON.parse);
    const ran = () => readFileSync(${JSON.stringify(join(folder, "ledger"))}, "utf8").split("\\n").length - 1;
    const open = () => openProject(${JSON.stringify(STEERED)}, { storage: ${JSON.stringify(data)}, slots: 2 });
    const say = (what) => console.log(JSON.stringify(what));
    ${body}`;
  writeFileSync(path, text);
  const child = spawn(process.execPath, [path], {
    env: { ...process.env, TMPDIR: tmp },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const said = { out: "", err: "" };
  child.stdout.setEncoding("utf8").on("data", (data) => {
    said.out += data;
  });
  child.stderr.setEncoding("utf8").on("data", (data) => {
    said.err += data;
  });
  const [code] = (await once(child, "close")) as [number | null];
  const workers = [...new Set(lines().map((line) => Number(line.split(" ")[1])))];
  await until(() => !workers.some(isAlive), "the end of its worker processes");
  return { ...said, code, data, storage: localStorage(data), ran: lines().length, left: litterIn(tmp) };
}

/** The one run there is: how it is shown, then driven on to its end. */
async function drivenOn({ data, storage }: { data: string; storage: ReturnType<typeof localStorage> }, specs: number) {
  await using project = await openProject(STEERED, { storage: data, engine: "inline" });
  const run = await project.findRun("steady");
  const [before] = await collect(run.progress({ intervalMs: 1 }));
  await run.resume();
  await run.result();
  await expectWhole(data, run.experimentId, storage, specs);
  return before!;
}

describe("a program that has nothing more to wait for", () => {
  it("ends by itself once its run is complete, though nobody has closed the project", async () => {
    const { code, out, err, left } = await program(`
      const run = await (await open()).allocate("steady", specs);
      say((await run.result()).report.succeeded);`);
    expect({ code, out, err, left }).toEqual({ code: 0, out: "6\n", err: "", left: [] });
  });

  it("ends when the run is done that it did not wait for", async () => {
    const ended = await program(`await (await open()).allocate("steady", specs);`);
    expect(ended).toMatchObject({ code: 0, out: "", err: "", left: [], ran: 6 });
    const [report] = (await collect(ended.storage.list("steady/"))).filter(({ key }) => key.endsWith("report.yml"));
    expect(report).toBeDefined();
  });

  it("ends after an allocation that was refused", async () => {
    const { code, out, left } = await program(`
      await (await open()).allocate("steady", [{ n: "one" }]).catch((error) => say(error.code));`);
    expect({ code, out, left }).toEqual({ code: 0, out: '"invalid_specs"\n', left: [] });
  });
});

describe("a project that is closed", () => {
  it("right after a run was allocated leaves it to be resumed: nothing has failed", async () => {
    const ended = await program(
      `const scythe = await open();
       await scythe.allocate("steady", specs, { chunkSize: 5 });
       await scythe[Symbol.asyncDispose](); // as \`await using\` does
       say("closed");`,
      { specs: 10, ms: 50 },
    );
    expect(ended).toMatchObject({ code: 0, out: '"closed"\n', err: "", left: [] });
    expect(await drivenOn(ended, 10)).toMatchObject({ status: "interrupted", allocated: 10, failed: 0 });
  });

  it("in the midst of a run keeps what is done, and says so to who waits for the run", async () => {
    const ended = await program(
      `const scythe = await open();
       const run = await scythe.allocate("steady", specs, { chunkSize: 5 });
       const waiting = run.result().catch(({ code, message, hint }) => say({ code, message, hint }));
       while (ran() < 12) await new Promise((resolve) => setTimeout(resolve, 5));
       await scythe.close();
       await waiting;
       await run.resume().catch(({ code, message }) => say({ code, message }));
       await scythe.allocate("steady", specs).catch(({ code, message }) => say({ code, message }));`,
      { specs: 40, ms: 50 },
    );
    expect(ended).toMatchObject({ code: 0, err: "", left: [] });
    const [waited, ...refused] = ended.out
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(waited).toMatchObject({
      code: "cancelled",
      message: expect.stringContaining("because its project was closed"),
      hint: expect.stringContaining("scythe resume steady/v1.0.0/"),
    });
    const closed = { code: "conflict", message: "The project is closed and drives no more runs" };
    expect(refused).toEqual([closed, closed]);
    const before = await drivenOn(ended, 40);
    expect(before).toMatchObject({ status: "interrupted", failed: 0 });
    expect(before.succeeded).toBeGreaterThanOrEqual(5);
    expect(before.succeeded).toBeLessThan(40);
  });

  it("runs no sample, which would make a whole run look damaged, and still checks what is stored", async () => {
    const ended = await program(
      `const scythe = await open();
       const run = await scythe.allocate("steady", specs);
       await run.result();
       await scythe.close();
       const { result } = await scythe.audit.verify(run.experimentId);
       say(result);
       await scythe.audit.verify(run.experimentId, { sample: 2 }).then(({ result }) => say(result), ({ code }) => say(code));`,
      { specs: 4, ms: 1 },
    );
    expect(ended).toMatchObject({ code: 0, out: '"verified"\n"conflict"\n', err: "", left: [] });
  });

  it("while a run is being allocated drives nothing", async () => {
    const ended = await program(`
      const scythe = await open();
      const allocating = scythe.allocate("steady", specs).catch(({ code }) => say(code));
      await scythe.close();
      await allocating;`);
    expect(ended).toMatchObject({ code: 0, out: '"conflict"\n', err: "", left: [], ran: 0 });
    expect(await drivenOn(ended, 6)).toMatchObject({ status: "allocated", failed: 0 });
  });
});
