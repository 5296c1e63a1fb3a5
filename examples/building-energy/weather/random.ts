/** A seeded generator of numbers from 0 up to 1: the same seed gives the same weather on every machine (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * A chain of standard normal values in which each day remembers the one before (first-order autoregression).
 * @param memory correlation of a day with the next, 0 … 1
 */
export function persistentSeries(length: number, memory: number, random: () => number): Float64Array {
  const gaussian = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const series = new Float64Array(length);
  let value = gaussian();
  for (let day = 0; day < length; day++) {
    series[day] = value;
    value = memory * value + Math.sqrt(1 - memory * memory) * gaussian();
  }
  return series;
}
