/**
 * What controls a terminal, or makes it show text in another order than it is written in: control characters, and
 * marks of writing direction. Line breaks, tabs and our own colours are not among them.
 */
const CONTROLS =
  /\u001b\[(?:\d{1,2}(?:;\d{1,2})?)?m|[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** Bold, dim, the foreground colours that we use, and the ends of these. */
const COLOURS = new Set([0, 1, 2, 22, 31, 32, 33, 36, 39].map((code) => `\u001b[${code}m`));

/** A text with escapes where it could control the terminal; in JSON they still mean the same characters. */
export function plainText(text: string): string {
  return text.replace(CONTROLS, (found) => (COLOURS.has(found) ? found : [...found].map(escaped).join("")));
}

function escaped(character: string): string {
  const code = character.charCodeAt(0);
  const isControl = code < 0x20 || (code >= 0x7f && code <= 0x9f) || code > 0x600;
  return isControl ? `\\u${code.toString(16).padStart(4, "0")}` : character;
}
