import { describe, expect, it } from "vitest";
import { drawPlaces } from "./sample.ts";

describe("a sample", () => {
  it("has so many different places, and the same ones for one seed", () => {
    for (let seed = 0; seed < 50; seed++) {
      const places = drawPlaces(1_000, 20, seed);
      expect(new Set(places).size).toBe(20);
      expect(places.every((place) => place >= 0 && place < 1_000)).toBe(true);
      expect(drawPlaces(1_000, 20, seed)).toEqual(places);
    }
    expect(drawPlaces(1_000, 20, 1)).not.toEqual(drawPlaces(1_000, 20, 2));
  });

  it("is everything when more is asked for than there is", () => {
    expect(drawPlaces(5, 9, 1)).toEqual([0, 1, 2, 3, 4]);
    expect(drawPlaces(0, 9, 1)).toEqual([]);
    expect(drawPlaces(5, 0, 1)).toEqual([]);
  });

  it("leaves no place out in the long run", () => {
    const drawn = new Set(Array.from({ length: 200 }, (_, seed) => drawPlaces(30, 3, seed)).flat());
    expect(drawn.size).toBe(30);
  });
});
