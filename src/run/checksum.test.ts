import { describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { addChecksum, checksumState, withoutChecksum } from "./checksum.ts";

describe("a sealed text", () => {
  const text = stringify({ experiment_id: "study/v1.0.0", seed: 7, note: "é 😀" });
  const sealed = addChecksum(text);

  it("is YAML of the same content", () => {
    expect(checksumState(sealed)).toBe("valid");
    expect(withoutChecksum(sealed)).toBe(text);
    expect(sealed.startsWith("# ")).toBe(true);
  });

  it("shows every flip of a bit, wherever it is", () => {
    const bytes = Buffer.from(sealed);
    const unseen: number[] = [];
    for (let bit = 0; bit < 8 * bytes.length; bit++) {
      const flipped = Buffer.from(bytes);
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      if (checksumState(flipped.toString()) !== "damaged") unseen.push(bit);
    }
    expect(unseen).toEqual([]);
  });

  it("shows every truncation", () => {
    for (let length = 0; length < sealed.length; length++) {
      expect(checksumState(sealed.slice(0, length)), String(length)).toBe("damaged");
    }
  });

  it("differs from one that never had a checksum", () => {
    expect(checksumState(text)).toBe("none");
    expect(withoutChecksum(text)).toBe(text);
  });
});
