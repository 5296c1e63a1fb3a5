import { readFileSync } from "node:fs";
import { InputFileError } from "./input-file-error.ts";

const LOOKALIKES: readonly { starts: RegExp; is: string; remedy: string }[] = [
  { starts: /^PK\x03\x04/, is: "a zip archive", remedy: "Unpack it and give the file inside." },
  { starts: /^\x1f\x8b/, is: "gzip-compressed", remedy: "Decompress it first (gunzip)." },
  { starts: /^version https:\/\/git-lfs/, is: "a Git LFS pointer", remedy: "Run `git lfs pull` to get the real file." },
  { starts: /^\s*<(!doctype|html|\?xml)/i, is: "a web page, not data", remedy: "Download the file itself again." },
  { starts: /^(\xff\xfe|\xfe\xff|.?\0)/s, is: "UTF-16 text", remedy: "Save it as UTF-8 or ASCII." },
];

/**
 * The lines of a text file, whatever its line ends (LF, CRLF, CR) and with or without a byte-order mark. Bytes are read
 * as Latin-1, the encoding of most published EPW and DDY files; every field that is used is ASCII.
 * @throws InputFileError when the file is missing, unreadable, empty, or plainly something other than text
 */
export function readTextLines(file: string, kind: string): string[] {
  const text = readLatin1(file, kind).replace(/^\xef\xbb\xbf/, "");
  if (text.trim() === "") {
    throw new InputFileError({ file }, "The file is empty.", `Download or copy the ${kind} again.`);
  }
  const lookalike = LOOKALIKES.find(({ starts }) => starts.test(text));
  if (lookalike) {
    throw new InputFileError({ file }, `This is ${lookalike.is}, not a ${kind}.`, lookalike.remedy);
  }
  return text.split(/\r\n|\n|\r/);
}

function readLatin1(file: string, kind: string): string {
  try {
    return readFileSync(file, "latin1");
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    const problem =
      code === "ENOENT" ? "There is no such file." : `The file cannot be read (${code ?? String(cause)}).`;
    throw new InputFileError({ file }, problem, `Check the path of the ${kind}.`, cause);
  }
}
