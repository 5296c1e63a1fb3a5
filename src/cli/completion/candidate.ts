/** A word that may stand where the cursor is. */
export interface Candidate {
  text: string;
  about?: string;
}
