import { describe, expect, it } from "vitest";
import { Deduplicator } from "./tasks.ts";

const delivery = (id: string, retry = 0) => ({
  taskRunExternalId: () => id,
  retryCount: () => retry,
  abortController: new AbortController(),
});

function counted() {
  const ends: (() => void)[] = [];
  const begin = () => new Promise<number>((resolve) => ends.push(() => resolve(ends.length)));
  return { ends, begin };
}

describe("tasks that run", () => {
  it("are worked on once, however often they are delivered meanwhile", async () => {
    const { ends, begin } = counted();
    const running = new Deduplicator<number>();
    const results = [delivery("a"), delivery("a")].map((own) => running.run(own, begin));
    expect(ends).toHaveLength(1);
    ends[0]!();
    expect(await Promise.all(results)).toEqual([1, 1]);
    void running.run(delivery("a"), begin); // asked again, later
    expect(ends).toHaveLength(2);
  });

  it("are other work for each task and each try", () => {
    const { ends, begin } = counted();
    const running = new Deduplicator<number>();
    for (const own of [delivery("a"), delivery("b"), delivery("a", 1)]) void running.run(own, begin);
    expect(ends).toHaveLength(3);
  });

  it("are not remembered when they failed", async () => {
    const running = new Deduplicator<number>();
    await expect(running.run(delivery("a"), () => Promise.reject(new Error("no")))).rejects.toThrow("no");
    expect(await running.run(delivery("a"), async () => 2)).toBe(2);
  });

  it("are told to stop by whichever delivery hears of it", () => {
    const { begin } = counted();
    const running = new Deduplicator<number>();
    const [first, second] = [delivery("a"), delivery("a")];
    void running.run(first, begin);
    void running.run(second, begin);
    second.abortController.abort("cancelled");
    expect(first.abortController.signal.reason).toBe("cancelled");
  });
});
