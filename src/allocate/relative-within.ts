import { isAbsolute, relative, sep } from "node:path";

/** A path relative to a folder that it lies in, with slashes, as records keep it; undefined for one outside of it. */
export function relativeWithin(folder: string, path: string): string | undefined {
  const within = relative(folder, path);
  return within.startsWith("..") || isAbsolute(within) ? undefined : within.split(sep).join("/");
}
