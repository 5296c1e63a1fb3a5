import { setImmediate as tick } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { inParts } from "./multipart.ts";
import type { S3Place } from "./place.ts";

const AT_ONCE = 3;
const place = { limits: { partsAtOnce: AT_ONCE } } as unknown as S3Place;
const part = (number: number) => ({ PartNumber: number, ETag: `"${number}"` });

describe("parts of an upload", () => {
  it("are all of the object, in their order, a few at a time", async () => {
    let most = 0;
    let inHand = 0;
    const ranges: [number, number][] = [];
    const parts = await inParts(place, 95, 10, async ({ number, start, end }) => {
      most = Math.max(most, ++inHand);
      ranges.push([start, end]);
      for (let i = 0; i < (number % 3) + 1; i++) await tick();
      inHand--;
      return part(number);
    });
    expect(parts).toEqual(Array.from({ length: 10 }, (_, i) => part(i + 1)));
    expect(ranges.sort((a, b) => a[0] - b[0])).toEqual(
      Array.from({ length: 10 }, (_, i) => [10 * i, Math.min(95, 10 * i + 10)]),
    );
    expect(most).toBe(AT_ONCE);
  });

  it("are aborted and waited for when one fails; none begins after it, and its error is the one that is thrown", async () => {
    const begun: number[] = [];
    const ended: number[] = [];
    const failing = inParts(place, 100, 10, async ({ number }, signal) => {
      begun.push(number);
      try {
        if (number === 2) {
          await tick();
          throw new Error("the disk is full");
        }
        while (!signal.aborted) await tick();
        for (let i = 0; i < 5; i++) await tick(); // an abort takes a moment
        throw new Error("part", { cause: signal.reason });
      } finally {
        ended.push(number);
      }
    });
    await expect(failing).rejects.toThrow("the disk is full");
    expect(begun).toEqual([1, 2, 3]);
    expect(ended.sort()).toEqual(begun);
  });
});
