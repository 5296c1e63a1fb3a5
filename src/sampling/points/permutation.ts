import type { Random } from "../random.ts";
import { bits32 } from "../streams.ts";

const ROUNDS = 12;

/**
 * A random permutation of 0 … size − 1 that holds no table: a Feistel cipher (Luby & Rackoff 1988) on the smallest power
 * of two that holds `size`, walked along its cycle until the result is below `size` (Black & Rogaway 2002).
 * @param size at most 2^32
 */
export function randomPermutation(size: number, random: Random): (index: number) => number {
  const bits = Math.max(1, size > 2 ** 31 ? 32 : 32 - Math.clz32(size - 1));
  const low = bits >>> 1;
  const highMask = 2 ** (bits - low) - 1;
  const lowMask = 2 ** low - 1;
  const keys = Int32Array.from({ length: ROUNDS }, () => bits32(random));
  return (index) => {
    let value = index;
    do {
      let left = value >>> low;
      let right = value & lowMask;
      for (let round = 0; round < ROUNDS; round += 2) {
        left ^= mixed(right ^ keys[round]!) & highMask;
        right ^= mixed(left ^ keys[round + 1]!) & lowMask;
      }
      value = ((left << low) | right) >>> 0;
    } while (value >= size);
    return value;
  };
}

/** A bijection of 32 bits in which each bit depends on all (two rounds of multiply and shift). */
function mixed(value: number): number {
  let x = value ^ (value >>> 16);
  x = Math.imul(x, 0x21f0aaad);
  x ^= x >>> 15;
  x = Math.imul(x, 0x735a2d97);
  return x ^ (x >>> 15);
}
