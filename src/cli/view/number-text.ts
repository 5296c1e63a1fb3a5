/** A number to four digits, without an exponent where it stays short; `–` for none. */
export function numberText(value: number | null): string {
  if (value === null) return "–";
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e6 || size < 1e-4) return value.toExponential(3);
  return String(Number(value.toPrecision(4)));
}
