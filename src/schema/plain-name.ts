/** False for names that shells, git and this program look for: `.envrc`, `.git`, `scythe.config.ts`. */
export function isPlainName(name: string): boolean {
  const seen = name
    .normalize("NFKC")
    .replace(/\p{Cf}/gu, "")
    .toLowerCase(); // as a forgiving file system takes it
  return seen !== "" && !seen.startsWith(".") && !seen.startsWith("scythe.config.");
}
