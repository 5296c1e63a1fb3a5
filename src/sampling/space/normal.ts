/** The least and the largest probability that an unbounded distribution is asked for: its ends would be infinite. */
const NEAR_ZERO = 2 ** -54;
const NEAR_ONE = 1 - 2 ** -53;

/** A probability that has a finite quantile in any distribution. */
export function insideUnit(u: number): number {
  return Math.min(Math.max(u, NEAR_ZERO), NEAR_ONE);
}

/**
 * The standard normal distribution's quantile of a probability in (0, 1), to about 1e-16 of its size: algorithm AS 241,
 * PPND16 (Wichura, Appl. Statist. 37, 1988).
 */
export function normalQuantile(p: number): number {
  const q = p - 0.5;
  if (Math.abs(q) <= 0.425) return q * ratio(CENTRE, 0.180625 - q * q);
  const tail = q < 0 ? p : 1 - p;
  const r = Math.sqrt(-Math.log(tail));
  const value = r <= 5 ? ratio(MIDDLE, r - 1.6) : ratio(FAR, r - 5);
  return q < 0 ? -value : value;
}

/** Coefficients of a quotient of two polynomials, from the constant up; the published ones, rounded to doubles. */
type Rational = readonly [numerator: readonly number[], denominator: readonly number[]];

function ratio([numerator, denominator]: Rational, x: number): number {
  return polynomial(numerator, x) / polynomial(denominator, x);
}

function polynomial(coefficients: readonly number[], x: number): number {
  let value = 0;
  for (let i = coefficients.length - 1; i >= 0; i--) value = value * x + coefficients[i]!;
  return value;
}

const CENTRE: Rational = [
  [
    3.3871328727963665, 133.14166789178438, 1971.5909503065513, 13731.69376550946, 45921.95393154987, 67265.7709270087,
    33430.57558358813, 2509.0809287301227,
  ],
  [
    1, 42.31333070160091, 687.1870074920579, 5394.196021424751, 21213.794301586597, 39307.89580009271,
    28729.085735721943, 5226.495278852854,
  ],
];
const MIDDLE: Rational = [
  [
    1.4234371107496835, 4.630337846156546, 5.769497221460691, 3.6478483247632045, 1.2704582524523684,
    0.2417807251774506, 0.022723844989269184, 0.0007745450142783414,
  ],
  [
    1, 2.053191626637759, 1.6763848301838038, 0.6897673349851, 0.14810397642748008, 0.015198666563616457,
    0.0005475938084995345, 1.0507500716444169e-9,
  ],
];
const FAR: Rational = [
  [
    6.657904643501103, 5.463784911164114, 1.7848265399172913, 0.29656057182850487, 0.026532189526576124,
    0.0012426609473880784, 2.7115555687434876e-5, 2.0103343992922881e-7,
  ],
  [
    1, 0.599832206555888, 0.1369298809227358, 0.014875361290850615, 0.0007868691311456133, 1.8463183175100548e-5,
    1.421511758316446e-7, 2.0442631033899397e-15,
  ],
];

/**
 * The probability that a standard normal number is below `x`, with an error that is small beside it also far in the lower
 * tail: a power series near the centre, Laplace's continued fraction beyond. Made for a few values, not for millions.
 */
export function normalProbability(x: number): number {
  if (x > 1) return 1 - normalProbability(-x);
  const density = Math.exp(-0.5 * x * x) / Math.sqrt(2 * Math.PI);
  if (x < -1) {
    let fraction = -x;
    for (let k = FRACTION_TERMS; k > 0; k--) fraction = k / fraction - x;
    return density / fraction;
  }
  let term = x;
  let sum = x;
  for (let k = 3; Math.abs(term) > 1e-18; k += 2) {
    term *= (x * x) / k;
    sum += term;
  }
  return 0.5 + density * sum;
}

/** Enough for x = −1, where it needs most. */
const FRACTION_TERMS = 600;

/**
 * Quantiles of the standard normal distribution between two bounds. Probabilities are counted from the nearer tail, so that
 * bounds far from the centre lose nothing.
 * @param low may be −∞
 * @param high may be ∞
 */
export function truncatedNormalQuantile(low: number, high: number): (u: number) => number {
  if (low > 0) {
    const mirrored = truncatedNormalQuantile(-high, -low);
    return (u) => -mirrored(1 - u);
  }
  const below = normalProbability(low);
  const above = normalProbability(-high);
  const within = high <= 0 ? normalProbability(high) - below : 1 - below - above;
  return (u) => {
    const p = below + u * within;
    return p <= 0.5 ? normalQuantile(p) : -normalQuantile(above + (1 - u) * within);
  };
}

/** Bounds beyond this many standard deviations hold no probability that a number can tell from zero. */
export const FARTHEST = 37;
