/**
 * Quantiles of the beta distribution on [0, 1]: the root of the regularised incomplete beta function, by Newton's method kept
 * within a bracket; accurate to about 1e-13.
 * @param a, b the shape parameters, above 0
 * @returns for u between 0 and 1
 */
export function betaQuantile(a: number, b: number): (u: number) => number {
  const logNorm = -logBeta(a, b);
  return (u) => {
    const centre = betaProbability(a / (a + b), a, b, logNorm);
    return u <= centre ? lowerRoot(u, a, b, logNorm) : 1 - lowerRoot(1 - u, b, a, logNorm);
  };
}

/** The number that a beta distributed one is below with probability `p`, sought from below. */
function lowerRoot(p: number, a: number, b: number, logNorm: number): number {
  let low = 0;
  let high = 1;
  let x = Math.min(Math.exp((Math.log(p) + Math.log(a) - logNorm) / a), a / (a + b)); // the first term of its series
  if (!(x > 0)) return 0; // below all numbers
  for (let step = 0; step < 200; step++) {
    const probability = betaProbability(x, a, b, logNorm);
    if (probability === p) return x;
    if (probability > p) high = x;
    else low = x;
    const density = Math.exp(logNorm + (a - 1) * Math.log(x) + (b - 1) * Math.log1p(-x));
    let next = x - (probability / density) * Math.log1p((probability - p) / p); // on the logarithm, which is concave
    if (!(next > low && next < high)) next = low > 0 && high / low > 4 ? Math.sqrt(low * high) : halfway(low, high);
    if (Math.abs(next - x) <= 1e-15 * x) return next;
    x = next;
  }
  return x;
}

function halfway(low: number, high: number): number {
  return low === 0 ? high / 1024 : (low + high) / 2;
}

/** The regularised incomplete beta function I_x(a, b). */
function betaProbability(x: number, a: number, b: number, logNorm: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  const front = Math.exp(logNorm + a * Math.log(x) + b * Math.log1p(-x));
  if (x < (a + 1) / (a + b + 2)) return (front * continuedFraction(x, a, b)) / a;
  return 1 - (front * continuedFraction(1 - x, b, a)) / b;
}

/** DLMF 8.17.22 by the modified method of Lentz. */
function continuedFraction(x: number, a: number, b: number): number {
  const tiny = 1e-300;
  const notZero = (value: number) => (Math.abs(value) < tiny ? tiny : value);
  let c = 1;
  let d = 1 / notZero(1 - ((a + b) * x) / (a + 1));
  let value = d;
  for (let m = 1; m < 100_000; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / notZero(1 + even * d);
    c = notZero(1 + even / c);
    value *= d * c;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / notZero(1 + odd * d);
    c = notZero(1 + odd / c);
    const factor = d * c;
    value *= factor;
    if (Math.abs(factor - 1) < 2 ** -52) break;
  }
  return value;
}

/** ln B(a, b), without the cancellation that logarithms of large gamma functions would bring. */
export function logBeta(a: number, b: number): number {
  const [p, q] = a < b ? [a, b] : [b, a];
  if (q < 10) return logGamma(p) + logGamma(q) - logGamma(p + q);
  const rest = stirlingRest(q) - stirlingRest(p + q);
  if (p < 10) return logGamma(p) + rest + p - p * Math.log(p + q) + (q - 0.5) * Math.log1p(-p / (p + q));
  const centre = 0.5 * Math.log((2 * Math.PI) / q) + (p - 0.5) * Math.log(p / (p + q)) + q * Math.log1p(-p / (p + q));
  return centre + stirlingRest(p) + rest;
}

/** ln Γ(x) for x > 0: Stirling's series from 10 on, reached by the recurrence. */
function logGamma(x: number): number {
  let product = 1;
  let y = x;
  for (; y < 10; y++) product *= y;
  return (y - 0.5) * Math.log(y) - y + 0.5 * Math.log(2 * Math.PI) + stirlingRest(y) - Math.log(product);
}

/** ln Γ(x) − ((x − ½) ln x − x + ½ ln 2π), x ≥ 10 (DLMF 5.11.1). */
function stirlingRest(x: number): number {
  const r = 1 / (x * x);
  const terms = [1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360_360, 1 / 156];
  return terms.reduceRight((sum, term) => sum * r + term, 0) / x;
}
