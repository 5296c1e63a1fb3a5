import { messageOf, ScytheError } from "../errors.ts";
import { JsonElements, NotJson, TooLong } from "./json-elements.ts";
import { parseJson } from "./json-text.ts";
import { LIMITS, tooLarge } from "./limits.ts";
import type { SpecRecord, SpecText } from "./source.ts";

const MEGABYTES = LIMITS.specBytes / 2 ** 20;

/** Reads one array of specs, one spec, or several consecutive ones; holds one at a time. */
export async function* readJson({ name, pieces }: SpecText): AsyncGenerator<SpecRecord> {
  const elements = new JsonElements(LIMITS.specBytes);
  let row = 0;
  const record = (text: string): SpecRecord => ({ at: `row ${++row}`, value: parse(text) });
  try {
    for await (const piece of pieces) for (const text of elements.push(piece.toString("utf8"))) yield record(text);
    for (const text of elements.end()) yield record(text);
  } catch (error) {
    if (error instanceof TooLong) throw tooLarge(name, `row ${row + 1} is larger than ${MEGABYTES} MB`);
    if (!(error instanceof NotJson)) throw error;
    throw new ScytheError("invalid_input", `${name}: line ${error.line} is not well-formed JSON: ${error.message}`, {
      hint: "Give one array of objects, one object, or a .jsonl file with one object per line.",
      cause: error,
    });
  }

  function parse(text: string): unknown {
    try {
      return parseJson(text);
    } catch (error) {
      throw new NotJson(messageOf(error), elements.startLine);
    }
  }
}

/** Reads one spec per line; empty lines are skipped. */
export async function* readJsonLines({ name, pieces }: SpecText): AsyncGenerator<SpecRecord> {
  let number = 0;
  for await (const bytes of lines(name, pieces)) {
    number++;
    const text = bytes.toString("utf8");
    if (text.trim() === "") continue;
    yield { at: `line ${number}`, value: parseLine(name, text, number) };
  }
}

function parseLine(name: string, text: string, number: number): unknown {
  try {
    return parseJson(text);
  } catch (cause) {
    throw new ScytheError("invalid_input", `${name}: line ${number} is not JSON: ${messageOf(cause)}`, {
      hint: "Each line is one JSON object; an array of objects belongs in a .json file.",
      cause,
    });
  }
}

async function* lines(name: string, pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let held: Buffer[] = [];
  let size = 0;
  let line = 1;
  for await (const piece of pieces) {
    let start = 0;
    for (let end = piece.indexOf(10); end >= 0; end = piece.indexOf(10, start)) {
      held.push(piece.subarray(start, end));
      yield held.length === 1 ? held[0]! : Buffer.concat(held);
      held = [];
      size = 0;
      line++;
      start = end + 1;
    }
    held.push(piece.subarray(start));
    size += piece.length - start;
    if (size > LIMITS.specBytes) throw tooLarge(name, `line ${line} is larger than ${MEGABYTES} MB`);
  }
  if (size > 0) yield Buffer.concat(held);
}
