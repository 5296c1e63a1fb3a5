/** A word that fits at the cursor. */
export interface Candidate {
  text: string;
  about?: string;
}
