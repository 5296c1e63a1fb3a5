import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { Readable } from "node:stream";
import { expect, it } from "vitest";
import { allocate, keysOf, scratchFolder } from "../allocate/allocation.testsuite.ts";
import { SpecStream } from "../spec-file/read.ts";
import { memoryStorage } from "../storage/memory.ts";

const scratch = scratchFolder();
const cancelled = { code: "cancelled", message: "The allocation was cancelled; nothing was stored" };

it("a signal that is aborted already ends the allocation before a spec is read", async () => {
  const storage = memoryStorage();
  let read = 0;
  const specs = (function* () {
    read++;
    yield { n: 1 };
  })();
  for (const given of [specs, [{ n: 1 }], { n: 1 }]) {
    await expect(allocate(storage, given, { signal: AbortSignal.abort() })).rejects.toMatchObject(cancelled);
  }
  expect(read).toBe(0);
  expect(await keysOf(storage)).toEqual([]);
});

it("a signal ends the wait for a source that gives nothing more", async () => {
  const storage = memoryStorage();
  const controller = new AbortController();
  const stalling = (async function* () {
    yield { n: 1 };
    controller.abort(); // after the first spec, with the next awaited for ever
    await new Promise(() => undefined);
  })();
  await expect(allocate(storage, stalling, { signal: controller.signal })).rejects.toMatchObject(cancelled);
  expect(await keysOf(storage)).toEqual([]);
});

it("a signal ends the reading of a stream that stalls, and lets go of it", async () => {
  const controller = new AbortController();
  let asked = 0;
  const stream = new Readable({
    read() {
      if (++asked === 1) this.push("n\n1\n");
      else setImmediate(() => controller.abort()); // more is wanted, and nothing comes
    },
  });
  const closed = once(stream, "close");
  const allocation = allocate(memoryStorage(), new SpecStream(stream, "stdin", "csv"), { signal: controller.signal });
  await expect(allocation).rejects.toMatchObject({ code: "cancelled" });
  await closed;
});

it("a stream that fails before it is read ends the allocation, not the process", async () => {
  const stream = new Readable({ read: () => undefined });
  const specs = new SpecStream(stream, "stdin", "csv");
  stream.destroy(new Error("i/o error, read"));
  await new Promise<void>((resolve) => stream.on("close", () => resolve()));
  const failed = allocate(memoryStorage(), specs);
  await expect(failed).rejects.toMatchObject({ code: "invalid_input", message: expect.stringContaining("i/o error") });
});

it("a spec file whose reading fails ends the allocation, not the process", async () => {
  const pipe = join(scratch.path, "specs.csv");
  execFileSync("mkfifo", [pipe]);
  const error = await allocate(memoryStorage(), pipe).catch((e) => e);
  expect(error).toMatchObject({ code: "invalid_input", hint: "To read a pipe, use --specs - (stdin)." });
  const broken = new Readable({ read: () => broken.destroy(new Error("i/o error, read")) });
  const failed = allocate(memoryStorage(), new SpecStream(broken, "stdin", "csv"));
  await expect(failed).rejects.toMatchObject({
    code: "invalid_input",
    message: expect.stringMatching(/cannot be read: i\/o error/),
  });
});
