/** Failures of one kind whose messages are alike. */
export interface FailureGroup {
  kind: string;
  /** The first message of its sort. */
  message: string;
  count: number;
}

const MOST_GROUPS = 1_000;
const OTHERS = "(other messages)";

/** Counts failures by kind and by message, where messages that differ in their numbers alone are of one sort. */
export class FailureGroups {
  total = 0;
  readonly byKind: Record<string, number> = {};
  readonly #groups = new Map<string, FailureGroup>();

  add(kind: string, message: string): void {
    this.total++;
    this.byKind[kind] = (this.byKind[kind] ?? 0) + 1;
    const sort = `${kind} ${sortOf(message)}`;
    const known = this.#groups.get(sort);
    if (known) known.count++;
    else if (this.#groups.size < MOST_GROUPS) this.#groups.set(sort, { kind, message, count: 1 });
    else this.#addOther(kind);
  }

  /** Most frequent first. */
  list(): FailureGroup[] {
    return [...this.#groups.values()].sort((a, b) => b.count - a.count);
  }

  #addOther(kind: string): void {
    const group = this.#groups.get(`${kind} ${OTHERS}`) ?? { kind, message: OTHERS, count: 0 };
    group.count++;
    this.#groups.set(`${kind} ${OTHERS}`, group);
  }
}

function sortOf(message: string): string {
  return message
    .split("\n", 1)[0]!
    .slice(0, 300)
    .replace(/[-+]?\d+(\.\d+)?(e[-+]?\d+)?/gi, "#");
}
