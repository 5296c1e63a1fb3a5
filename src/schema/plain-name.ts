/** False for names with a meaning to shells, git or this program: `.envrc`, `.git`, `scythe.config.ts`. */
export function isPlainName(name: string): boolean {
  const seen = name
    .normalize("NFKC")
    .replace(/\p{Cf}/gu, "")
    .toLowerCase(); // as a lenient file system compares names
  return seen !== "" && !seen.startsWith(".") && !seen.startsWith("scythe.config.");
}
