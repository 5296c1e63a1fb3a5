import { describe, expect, it } from "vitest";
import { RunLayout } from "../../run/layout.ts";
import type { LeafTask } from "../../scatter/run-task.ts";
import { memoryStorage } from "../../storage/memory.ts";
import { listAll } from "../../storage/storage.ts";
import { SpecNotes, SuspectLock } from "./spec-notes.ts";

const layout = new RunLayout({ name: "study", version: "v1.0.0", timestamp: "2026-01-02_03-04-05" });
const task = (from: number, to: number, generation = 0): LeafTask => ({
  experiment_id: layout.experimentId,
  path: [],
  epoch: 1,
  generation,
  from,
  to,
  box_ms: null,
  schema_hash: "",
});

describe("notes of the spec in hand", () => {
  const storage = memoryStorage();
  const worker = (n: number) => ({ worker: `worker-${n}`, again: true });
  const notes = async () => (await listAll(storage, layout.tree)).map(({ key }) => key);

  it("cost nothing while specs are quick and nobody has died", async () => {
    const quick = await SpecNotes.open(storage, layout, task(0, 10), { worker: "w", again: false });
    for (let at = 0; at < 10; at++) quick.at(at);
    await quick.close(10);
    expect(await notes()).toEqual([]);
  });

  it("count the workers that began one spec and were not heard of again", async () => {
    const first = await SpecNotes.open(storage, layout, task(0, 10), worker(1)); // begun before, by whom nobody knows
    expect(first.suspect).toBeUndefined();
    // each of these dies: it is not closed
    const second = await SpecNotes.open(storage, layout, task(0, 10), worker(2));
    expect(second.suspect).toMatchObject({ position: 0, alone: false, quarantined: false });
    await second.begin(0);
    await second.begin(1);
    const third = await SpecNotes.open(storage, layout, task(0, 10), worker(3));
    expect(third.suspect).toMatchObject({ position: 1, alone: true, quarantined: false });
    await third.begin(1);
    const fourth = await SpecNotes.open(storage, layout, task(0, 10), worker(4));
    expect(fourth.suspect).toMatchObject({ position: 1, quarantined: true });
    expect(fourth.suspect!.begun.map((text) => text.split(" on ")[1])).toEqual(["worker-1", "worker-2", "worker-3"]);
    await fourth.close(10);
    expect(await notes()).toEqual([]);
  });

  it("begin anew for what comes after a spec that has passed", async () => {
    const first = await SpecNotes.open(storage, layout, task(0, 10), worker(1));
    await first.begin(4);
    const second = await SpecNotes.open(storage, layout, task(0, 10), worker(2));
    await second.begin(4);
    await second.begin(5);
    const third = await SpecNotes.open(storage, layout, task(0, 10), worker(3));
    expect(third.suspect).toMatchObject({ position: 5, alone: true });
    expect(third.suspect!.begun).toHaveLength(1);
    await third.close(10);
  });

  it("stay with their spec when ranges are cut anew, and are kept until it is met", async () => {
    const first = await SpecNotes.open(storage, layout, task(0, 10), worker(1));
    await first.begin(7);
    const before = await SpecNotes.open(storage, layout, task(0, 5), worker(2));
    expect(before.suspect).toBeUndefined();
    await before.close(5);
    const short = await SpecNotes.open(storage, layout, task(5, 10), worker(2));
    await short.close(6); // its time was up
    const rest = await SpecNotes.open(storage, layout, task(6, 10), worker(2));
    expect(rest.suspect).toMatchObject({ position: 7 });
    await rest.close(10);
    expect(await notes()).toEqual([]);
  });

  it("of an earlier generation say nothing of a later", async () => {
    const first = await SpecNotes.open(storage, layout, task(0, 10), worker(1));
    await first.begin(7);
    const retried = await SpecNotes.open(storage, layout, task(0, 10, 1), worker(1));
    expect(retried.suspect).toBeUndefined();
    await retried.close(10);
    await first.close(10);
  });
});

describe("the lock of suspects", () => {
  it("are one at a time, in the order they were asked for", async () => {
    const lock = new SuspectLock();
    const seen: string[] = [];
    const end = await lock.acquire();
    const others = ["b", "c"].map(async (name) => {
      const done = await lock.acquire();
      seen.push(name);
      done();
    });
    seen.push("a");
    end();
    await Promise.all(others);
    expect(seen).toEqual(["a", "b", "c"]);
  });
});
