/** One thing the nano model can answer. */
export interface Intent {
  /** Short kebab-case name, unique in the corpus. */
  readonly name: string;
  /** The canonical question, as shown under "Did you mean …?". */
  readonly question: string;
  /**
   * Sentence patterns: literal text with `{a|b|}` groups; an empty alternative makes a group optional, groups do not nest.
   * `"how do {i|you|we} share {a model|my model|}"` has nine expansions.
   */
  readonly patterns: readonly string[];
  /** The stored answer. The model learns to recite it; nothing else counts as right. */
  readonly answer: string;
}

/** Everything the nano model is trained and judged on. */
export interface Corpus {
  readonly intents: readonly Intent[];
  /** Questions the model must refuse; `test` is never seen in training. */
  readonly unrelated: { readonly train: readonly string[]; readonly test: readonly string[] };
  /** What it says to those. */
  readonly refusal: string;
  /** Intent name to patterns kept out of training: judged and reported, never learned. */
  readonly heldOutPatterns: Readonly<Record<string, readonly string[]>>;
}
