import { expect, it } from "vitest";
import { ERROR_COLUMNS } from "../../scatter/part-columns.ts";
import { SORT_INDEX } from "../../schema/id-columns.ts";
import { BatchBuilder } from "../../table/batch.ts";
import { type ChunkEvent, ChunkLog } from "./chunk-log.ts";

function errorsOf(...sortIndexes: number[]) {
  const builder = new BatchBuilder([SORT_INDEX, ...ERROR_COLUMNS]);
  for (const sort_index of sortIndexes) {
    const own = {
      __kind: "error",
      __name: "Error",
      __message: "no",
      __stack: null,
      __attempts: 1,
      __worker: "w",
      __duration: 0,
    };
    builder.append({ sort_index, ...own });
  }
  return builder.take();
}

const eventOf = (log: ChunkLog, ...failed: number[]) => JSON.parse(log.event(errorsOf(...failed))!) as ChunkEvent;

it("has nothing to tell of specs that say nothing", () => {
  const log = new ChunkLog();
  expect([log.changed, log.event(errorsOf())]).toEqual([false, undefined]);
});

it("keeps the end of what a spec said, and its lines apart", () => {
  const log = new ChunkLog();
  for (const text of ["a", "b"]) log.add({ sortIndex: 1, source: "log", text });
  for (const text of ["c", "d\n"]) log.add({ sortIndex: 1, source: "stdout", text });
  expect(eventOf(log).logs.map(({ message }) => message)).toEqual(["a", "b", "cd\n"]);
  for (let i = 0; i < 200; i++) log.add({ sortIndex: 1, source: "stdout", text: `${i}${"x".repeat(999)}\n` });
  const [only] = eventOf(log).logs;
  expect(only!.message).toHaveLength(65_536);
  expect(only!.message).toMatch(/199x+\n$/);
});

it("is bounded, and gives up the logs of failed specs last", () => {
  const log = new ChunkLog();
  for (let n = 0; n < 100; n++) {
    log.add({ sortIndex: n, source: "stdout", text: "y".repeat(50_000) });
    if (n % 20 === 0) log.fail(errorsOf(n));
  }
  const event = eventOf(log, 0, 20, 40, 60, 80);
  expect(event.logs.reduce((sum, { message }) => sum + message.length, 0)).toBeLessThanOrEqual(1_048_576);
  expect(event.failed).toEqual([0, 20, 40, 60, 80]);
  expect(event.logs.at(-1)!.sort_index).toBe(99);
  expect(event.dropped).toBe(100 - event.logs.length);
});
