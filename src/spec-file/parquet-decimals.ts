import type { SchemaElement } from "hyparquet";
import type { ParquetReader } from "../table/read-parquet.ts";

type Reading = (value: unknown) => unknown;

/**
 * Readers for columns with decimals. hyparquet multiplies by 0.1, 0.01, … in floating point, which turns 0.3 into
 * 0.30000000000000004 and rounds integers. So it is given plain integers, and the decimal point is set here. An integer
 * beyond 2^53 becomes a bigint, for the schema to accept or refuse; any other value is the number nearest to its
 * digits.
 */
export function decimalReadings(reader: ParquetReader): ReadonlyMap<string, Reading> {
  const readings = new Map<string, Reading>();
  const { schema } = reader.metadata;
  let at = 1;
  while (at < schema.length) {
    const { node, next } = nodeAt(schema, at);
    const reading = readingOf(node);
    if (reading) readings.set(node.element.name, reading);
    at = next;
  }
  return readings;
}

/** True for decimals that hyparquet would read as text. */
export function isDecimalText(element: SchemaElement): boolean {
  return element.type === "BYTE_ARRAY" && isDecimal(element);
}

function isDecimal({ converted_type, logical_type }: SchemaElement): boolean {
  return converted_type === "DECIMAL" || logical_type?.type === "DECIMAL";
}

/** An element of a Parquet schema with its children. */
interface Node {
  element: SchemaElement;
  children: Node[];
}

function nodeAt(schema: readonly SchemaElement[], at: number): { node: Node; next: number } {
  const element = schema[at]!;
  const children: Node[] = [];
  let next = at + 1;
  for (let i = 0; i < (element.num_children ?? 0) && next < schema.length; i++) {
    const child = nodeAt(schema, next);
    children.push(child.node);
    next = child.next;
  }
  return { node: { element, children }, next };
}

/** Undefined when there is no decimal in the element. */
function readingOf({ element, children }: Node): Reading | undefined {
  if (children.length === 0) return isDecimal(element) ? eachOf(scaled(element)) : undefined;
  const [only] = children;
  const kind = element.converted_type ?? element.logical_type?.type;
  if (kind === "LIST") return only!.children.length === 1 ? eachOrNone(only!.children[0]!) : eachOrNone(only!);
  if (kind === "MAP" || kind === "MAP_KEY_VALUE") return valuesOf(only!.children[1]);
  const fields = children.flatMap((child) => {
    const reading = readingOf(child);
    return reading ? [[child.element.name, reading] as const] : [];
  });
  return fields.length === 0 ? undefined : eachOf(inFields(fields));
}

function eachOrNone(node: Node): Reading | undefined {
  const reading = readingOf(node);
  return reading && eachOf(reading);
}

function eachOf(reading: Reading): Reading {
  const each: Reading = (value) => (Array.isArray(value) ? value.map(each) : reading(value));
  return each;
}

function inFields(fields: readonly (readonly [string, Reading])[]): Reading {
  return (value) => {
    if (typeof value !== "object" || value === null) return value;
    const own = value as Record<string, unknown>;
    return { ...own, ...Object.fromEntries(fields.map(([name, reading]) => [name, reading(own[name])])) };
  };
}

function valuesOf(node: Node | undefined): Reading | undefined {
  const reading = node && readingOf(node);
  if (!reading) return undefined;
  return (value) =>
    typeof value === "object" && value !== null
      ? Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, reading(inner)]))
      : value;
}

/** Turns the element into a plain integer for hyparquet, and returns the conversion of such an integer to its value. */
function scaled(element: SchemaElement): Reading {
  const scale = element.scale ?? 0;
  delete element.converted_type;
  delete element.logical_type;
  return (value) => {
    if (value === null || value === undefined) return value;
    return decimalOf(value instanceof Uint8Array ? signedOf(value) : BigInt(value as number | bigint), scale);
  };
}

function decimalOf(unscaled: bigint, scale: number): number | bigint {
  const unit = 10n ** BigInt(scale);
  if (unscaled % unit !== 0n) return Number(`${unscaled}e-${scale}`);
  const whole = unscaled / unit;
  return Number.isSafeInteger(Number(whole)) ? Number(whole) : whole;
}

/** Big-endian, in two's complement. */
function signedOf(bytes: Uint8Array): bigint {
  return bytes.length === 0 ? 0n : BigInt.asIntN(8 * bytes.length, BigInt(`0x${Buffer.from(bytes).toString("hex")}`));
}
