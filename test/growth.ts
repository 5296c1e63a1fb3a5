/**
 * How much longer work takes on twice the input: about 2 where time follows length, 4 where it follows its square. CPU
 * time of this process, the best of a few rounds of each size, so that a busy machine does not count; measured again when
 * it seems too much.
 * @param size of the smaller input; what it takes should be well above a timer's step
 */
export async function growth<T>(
  make: (size: number) => T,
  work: (input: T) => unknown,
  size: number,
  enough = 2.5,
): Promise<number> {
  const [small, large] = [make(size), make(2 * size)];
  await cpuSeconds(work, small); // compiles
  let [one, two] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (let round = 0; round < 8; round++) {
    one = Math.min(one, await cpuSeconds(work, small));
    two = Math.min(two, await cpuSeconds(work, large));
    if (round >= 2 && two / one <= enough) break;
  }
  return two / one;
}

async function cpuSeconds<T>(work: (input: T) => unknown, input: T): Promise<number> {
  const before = process.cpuUsage();
  await work(input);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}
