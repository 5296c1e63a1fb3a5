import { z } from "zod";
import { messageOf } from "../errors.ts";
import { coercedReader, kindOf, type Reading, Refused } from "./coercion.ts";
import { type Column, unwrap } from "./columns.ts";
import { type Checked, makeValidator, preview, type SpecIssue, type Validator } from "./validate.ts";

/** An empty cell or flag: no value was given, where a field cannot be left out. */
export const EMPTY: unique symbol = Symbol("empty");

/**
 * A validator of specs as people give them, in whatever format. It is the one place that says what a missing value
 * becomes (an empty cell, a `null` that the schema does not take) and what text and numbers stand for dates, 64-bit
 * integers and all that is made with `z.coerce`: zod itself would make 0, `false`, 1970 and "null" of them.
 */
export function makeSpecValidator(schema: z.ZodObject, columns: readonly Column[]): Validator {
  const validate = makeValidator(schema, columns);
  const read = givenReader(schema);
  return (value): Checked<Record<string, unknown>> => {
    const issues: SpecIssue[] = [];
    const given = read(value, issues);
    return issues.length > 0 ? { ok: false, issues } : validate(given);
  };
}

/** What the schema is to see of a spec that was given. */
export function givenReader(schema: z.ZodObject): (value: unknown, issues: SpecIssue[]) => unknown {
  const read = new Readings().ofObject(schema);
  return (value, issues) => {
    try {
      return read(value, "", issues);
    } catch (thrown) {
      issues.push({ field: "(the whole spec)", value: "…", rule: `cannot be read: ${messageOf(thrown)}` }); // too deep
      return value;
    }
  };
}

/** Gives the value that the schema is to see; the same one where nothing is to be done. */
type Reader = (value: unknown, path: string, issues: SpecIssue[]) => unknown;

interface Field {
  name: string;
  takesNull: boolean;
  takesNothing: boolean;
  /** Left out, it would become a value by `z.coerce`. */
  mustBeGiven: boolean;
  read: Reader | undefined;
}

/** Readers of schemas, each made once: a schema may hold itself. */
class Readings {
  readonly #known = new Map<z.core.$ZodType, { read: Reader | undefined }>();

  ofObject(schema: z.core.$ZodObject): Reader {
    const fields = Object.entries(schema._zod.def.shape).map(([name, field]) => this.#field(name, field));
    return (value, path, issues) => (isObject(value) ? readFields(fields, value, path, issues) : value);
  }

  #field(name: string, schema: z.core.$ZodType): Field {
    const coerced = coerces(schema);
    const nothing = tryParse(schema, undefined);
    const takesNothing = schema._zod.optin !== undefined || (nothing.success && !coerced);
    const made = !nothing.success || nothing.data === "undefined" || nothing.data === false;
    return {
      name,
      takesNothing,
      takesNull: takesNull(schema),
      read: this.#of(schema),
      mustBeGiven: coerced && !takesNothing && made,
    };
  }

  #of(schema: z.core.$ZodType): Reader | undefined {
    const { inner } = unwrap(schema);
    const known = this.#known.get(inner);
    if (known) return (value, path, issues) => (known.read ? known.read(value, path, issues) : value);
    const box: { read: Reader | undefined } = { read: undefined };
    this.#known.set(inner, box);
    box.read = this.#make(inner);
    return box.read;
  }

  #make(inner: z.core.$ZodType): Reader | undefined {
    const def = inner._zod.def as unknown as Record<string, unknown> & { type: string; items: z.core.$ZodType[] };
    if (def.type === "object") return this.ofObject(inner as z.core.$ZodObject);
    if (def.type === "array") return this.#list(def.element as z.core.$ZodType);
    if (def.type === "record") return this.#record(def.valueType as z.core.$ZodType);
    if (def.type === "tuple") return this.#tuple(def.items);
    const reading = coercedReader(kindOf(inner), isCoercing(inner));
    return reading && plainReader(reading);
  }

  #list(element: z.core.$ZodType): Reader {
    const item = this.#item(element);
    return (value, path, issues) => {
      if (!Array.isArray(value)) return value;
      const items = value.map((own, i) => item(own, joined(path, i), issues));
      return items.some((own, i) => own !== value[i]) ? items : value;
    };
  }

  #record(valueType: z.core.$ZodType): Reader {
    const item = this.#item(valueType);
    return (value, path, issues) => {
      if (!isObject(value)) return value;
      const entries = Object.entries(value).map(([key, own]) => [key, item(own, joined(path, key), issues)] as const);
      return entries.some(([key, own]) => own !== value[key]) ? Object.fromEntries(entries) : value;
    };
  }

  #tuple(types: readonly z.core.$ZodType[]): Reader {
    const items = types.map((type) => this.#item(type));
    return (value, path, issues) =>
      Array.isArray(value) ? value.map((own, i) => items[i]?.(own, joined(path, i), issues) ?? own) : value;
  }

  /** In a list nothing can be left out: a null that would become a value is refused. */
  #item(schema: z.core.$ZodType): Reader {
    const read = this.#of(schema);
    const refusesNull = coerces(schema) && !takesNull(schema);
    return (value, path, issues) => {
      if (value === null) {
        if (refusesNull) issues.push({ field: path, value: "null", rule: "must have a value here, not null" });
        return value;
      }
      return read ? read(value, path, issues) : value;
    };
  }
}

function readFields(fields: readonly Field[], value: Record<string, unknown>, path: string, issues: SpecIssue[]) {
  let copy: Record<string, unknown> | undefined;
  for (const field of fields) {
    const before = value[field.name];
    const after = readField(field, before, path, issues);
    if (after === before) continue;
    copy ??= { ...value };
    if (after === undefined) delete copy[field.name];
    else copy[field.name] = after;
  }
  return copy ?? value;
}

/** A missing value is left out; where it may be null and cannot be left out, it is null. */
function readField(field: Field, value: unknown, path: string, issues: SpecIssue[]): unknown {
  if (value === undefined) {
    if (field.mustBeGiven) issues.push(missing(field, path, "undefined", "is missing"));
    return undefined;
  }
  if (value === null) {
    if (field.takesNull) return null;
    if (!field.takesNothing) issues.push(missing(field, path, "null", "is missing: null stands for no value"));
    return undefined;
  }
  if (value === EMPTY) {
    if (field.takesNothing) return undefined;
    if (field.takesNull) return null;
    issues.push(missing(field, path, "(empty)", "is missing: what is empty is no value"));
    return undefined;
  }
  return field.read ? field.read(value, joined(path, field.name), issues) : value;
}

function missing({ name }: Field, path: string, value: string, rule: string): SpecIssue {
  return { field: joined(path, name), value, rule };
}

function plainReader(reading: Reading): Reader {
  return (value, path, issues) => {
    const result = reading(value);
    if (!(result instanceof Refused)) return result;
    issues.push({ field: path, value: preview(value), rule: result.rule });
    return value;
  };
}

/** What becomes of null by `z.coerce` was not given. */
function takesNull(schema: z.core.$ZodType): boolean {
  const result = tryParse(schema, null);
  return result.success && (result.data === null || !coerces(schema));
}

function coerces(schema: z.core.$ZodType): boolean {
  const { inner } = unwrap(schema);
  const def = inner._zod.def as z.core.$ZodUnionDef;
  return isCoercing(inner) || (def.type === "union" && def.options.some(coerces));
}

function isCoercing(inner: z.core.$ZodType): boolean {
  return (inner._zod.def as { coerce?: boolean }).coerce === true;
}

/** A user's transform may throw on what it was not meant for. */
function tryParse(schema: z.core.$ZodType, value: unknown): { success: true; data: unknown } | { success: false } {
  try {
    const result = z.core.safeParse(schema, value);
    return result.success ? { success: true, data: result.data } : { success: false };
  } catch {
    return { success: false };
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function joined(path: string, name: string | number): string {
  return path === "" ? String(name) : `${path}.${name}`;
}
