/** One thing that was looked at. */
export interface Finding {
  what: string;
  state: "ok" | "warning" | "problem";
  /** What was found. Never a secret. */
  said: string;
  /** What to do, unless all is well. */
  todo?: string;
}
