/** Ordinary phrasings kept out of training, for the unseen-pattern figure only: intent name to one or two patterns. */
export const heldOutPatterns: Readonly<Record<string, readonly string[]>> = {};
