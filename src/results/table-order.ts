/** Tables as one asks for them: scalars first, then the experiment's own, the failures last. */
export function inOrder<T>(tables: readonly T[], nameOf: (table: T) => string): T[] {
  return [...tables].sort((a, b) => rank(nameOf(a)) - rank(nameOf(b)) || (nameOf(a) < nameOf(b) ? -1 : 1));
}

function rank(name: string): number {
  const first = ["scalars", "result_file_refs"].indexOf(name);
  if (first >= 0) return first;
  return name === "errors" ? 3 : 2;
}
