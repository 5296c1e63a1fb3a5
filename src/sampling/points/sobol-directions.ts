import { JOE_KUO_BITS, JOE_KUO_DIMENSIONS } from "./joe-kuo.ts";

/** How many dimensions there are direction numbers for. */
export const SOBOL_DIMENSIONS = JOE_KUO_DIMENSIONS;

interface TableRow {
  /** A primitive polynomial over GF(2), its coefficients as bits. */
  polynomial: number;
  /** m(1), m(2), …: as many as the polynomial has degrees. */
  initial: number[];
}

/**
 * The 32 direction numbers of a dimension (the first is 0) as binary fractions of 32 bits (signed, for the sake of speed):
 * number k is added at every 2^k-th point of the Gray code order.
 */
export function directionNumbers(dimension: number): Int32Array {
  const numbers = new Int32Array(32);
  if (dimension === 0) return numbers.map((_, k) => 2 ** (31 - k)); // van der Corput
  const { polynomial, initial } = tableRow(dimension);
  const degree = initial.length;
  for (let k = 0; k < 32; k++) {
    if (k < degree) {
      numbers[k] = initial[k]! * 2 ** (31 - k);
      continue;
    }
    let value = numbers[k - degree]! ^ (numbers[k - degree]! >>> degree);
    for (let i = 1; i < degree; i++) if ((polynomial >>> (degree - i)) & 1) value ^= numbers[k - i]!;
    numbers[k] = value;
  }
  return numbers;
}

/** What has been unpacked so far, and what comes next. */
const known: TableRow[] = [];
let following: Generator<TableRow> | undefined;

/** A row of Joe and Kuo's table; the second dimension (1) is its first. */
export function tableRow(dimension: number): TableRow {
  following ??= tableRows();
  while (known.length < dimension) known.push(following.next().value);
  return known[dimension - 1]!;
}

function* tableRows(): Generator<TableRow, never> {
  const bytes = Buffer.from(JOE_KUO_BITS, "base64");
  let next = 0;
  const bit = () => {
    const value = (bytes[next >>> 3]! >>> (7 - (next & 7))) & 1;
    next++;
    return value;
  };
  for (let polynomial = 3; ; polynomial += 2) {
    if (!isPrimitive(polynomial)) continue;
    const initial: number[] = [];
    for (let i = 1; i <= degreeOf(polynomial); i++) {
      let value = 0;
      for (let k = 1; k < i; k++) value = value * 2 + bit();
      initial.push(value * 2 + 1);
    }
    yield { polynomial, initial };
  }
}

/** A polynomial over GF(2) of degree s is primitive when x has the order 2^s − 1 modulo it. */
function isPrimitive(polynomial: number): boolean {
  const degree = degreeOf(polynomial);
  const order = 2 ** degree - 1;
  if (power(order, polynomial, degree) !== 1) return false;
  return primeFactors(order).every((prime) => power(order / prime, polynomial, degree) !== 1);
}

/** x to a power modulo a polynomial. */
function power(exponent: number, polynomial: number, degree: number): number {
  let result = 1;
  for (let bit = 31 - Math.clz32(exponent); bit >= 0; bit--) {
    result = product(result, result, polynomial, degree);
    if ((exponent >>> bit) & 1) result = reduced(result << 1, polynomial, degree);
  }
  return result;
}

function product(a: number, b: number, polynomial: number, degree: number): number {
  let result = 0;
  for (let bit = degree - 1; bit >= 0; bit--) {
    result = reduced(result << 1, polynomial, degree);
    if ((b >>> bit) & 1) result ^= a;
  }
  return result;
}

/** Of a polynomial of one degree too many at most. */
function reduced(value: number, polynomial: number, degree: number): number {
  return (value >>> degree) & 1 ? value ^ polynomial : value;
}

function degreeOf(polynomial: number): number {
  return 31 - Math.clz32(polynomial);
}

function primeFactors(value: number): number[] {
  const factors: number[] = [];
  let rest = value;
  for (let divisor = 2; divisor * divisor <= rest; divisor++) {
    if (rest % divisor !== 0) continue;
    factors.push(divisor);
    while (rest % divisor === 0) rest /= divisor;
  }
  return rest > 1 ? [...factors, rest] : factors;
}
