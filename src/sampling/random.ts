/**
 * A seeded stream of random numbers: xoshiro128** (Blackman & Vigna, "Scrambled linear pseudorandom number
 * generators", ACM TOMS 47, 2021), its state filled by splitmix32 from the seeds. Not for cryptography.
 */
export interface Random {
  /** Uniform in [0, 1), 53 random bits. */
  (): number;
  /** Normal with the given mean and standard deviation. */
  normal(mean?: number, standardDeviation?: number): number;
  /** Uniform integer from `low` to `high`, both included. */
  integer(low: number, high: number): number;
}

/** The stream of one pair of seeds; nearby pairs give unrelated streams. */
export function randomFrom(seed: number, stream: number): Random {
  const next = xoshiro128(seed, stream);
  const uniform = () => (next() * 2 ** 21 + (next() >>> 11)) / 2 ** 53;
  const random = uniform as Random;
  let spare: number | undefined;
  random.normal = (mean = 0, standardDeviation = 1) => {
    if (spare === undefined) {
      // Box & Muller (1958); 1 − u keeps the logarithm finite
      const radius = Math.sqrt(-2 * Math.log(1 - uniform()));
      const angle = 2 * Math.PI * uniform();
      spare = radius * Math.sin(angle);
      return mean + standardDeviation * radius * Math.cos(angle);
    }
    const value = spare;
    spare = undefined;
    return mean + standardDeviation * value;
  };
  random.integer = (low, high) => low + Math.floor(uniform() * (high - low + 1));
  return random;
}

function xoshiro128(seed: number, stream: number): () => number {
  const mix = splitmix32(fold(seed) ^ Math.imul(fold(stream) + 1, 0x9e3779b1));
  let a = mix();
  let b = mix() ^ fold(seed);
  let c = mix() ^ fold(stream);
  let d = mix() | 1; // never all zero
  return () => {
    const result = Math.imul(rotate(Math.imul(b, 5), 7), 9) >>> 0;
    const t = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= t;
    d = rotate(d, 11);
    return result;
  };
}

function rotate(x: number, k: number): number {
  return (x << k) | (x >>> (32 - k));
}

function splitmix32(state: number): () => number {
  let s = state | 0;
  return () => {
    s = (s + 0x9e3779b9) | 0;
    let z = s ^ (s >>> 16);
    z = Math.imul(z, 0x21f0aaad);
    z ^= z >>> 15;
    z = Math.imul(z, 0x735a2d97);
    return z ^ (z >>> 15);
  };
}

/** Uses all bits of 53-bit seeds. */
function fold(seed: number): number {
  return (seed ^ Math.imul(Math.floor(seed / 2 ** 32), 0x85ebca6b)) | 0;
}
