/** A weather or design-day file that cannot be used. The message says what is wrong, where, and what to do next. */
export class InputFileError extends Error {
  override readonly name = "InputFileError";
  readonly file: string;
  readonly line: number | undefined;

  /** @param where file path and, where known, the 1-based line */
  constructor(where: { file: string; line?: number }, problem: string, remedy: string, cause?: unknown) {
    const place = where.line === undefined ? where.file : `${where.file}, line ${where.line}`;
    super(`${place}: ${problem} ${remedy}`, cause === undefined ? undefined : { cause });
    this.file = where.file;
    this.line = where.line;
  }
}
