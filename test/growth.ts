/** Work that follows its input's length takes less than this times as long on twice the input; 4 means its square. */
export const LINEAR = 2.5;

/**
 * How much longer work takes on a larger input, as if it were twice as large. CPU time of this process, the best of a few
 * rounds of each size, so that a busy machine does not count; measured again when it seems too much.
 * @param size of the smaller input; what it takes should be well above a timer's step
 * @param doublings from the smaller input to the larger one
 */
export async function growth<T>(
  make: (size: number) => T,
  work: (input: T) => unknown,
  size: number,
  doublings = 1,
): Promise<number> {
  const [small, large] = [make(size), make(2 ** doublings * size)];
  await cpuSeconds(work, small); // compiles
  let [one, two] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (let round = 0; round < 8; round++) {
    one = Math.min(one, await cpuSeconds(work, small));
    two = Math.min(two, await cpuSeconds(work, large));
    if (round >= 2 && two / one <= LINEAR ** doublings) break;
  }
  return (two / one) ** (1 / doublings);
}

async function cpuSeconds<T>(work: (input: T) => unknown, input: T): Promise<number> {
  const before = process.cpuUsage();
  await work(input);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}
