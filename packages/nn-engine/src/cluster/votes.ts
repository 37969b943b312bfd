/** Shares of votes, adding up to 1: e^v over their sum. */
export function softmax(votes: ArrayLike<number>): Float64Array {
  const most = Math.max(...Array.from(votes));
  const powers = Float64Array.from(votes, (vote) => Math.exp(vote - most));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}

/** The error that `learn` takes, for a known class: 1 minus its share, and minus the share of each other. */
export function classError(votes: ArrayLike<number>, label: number): Float64Array {
  return softmax(votes).map((share, output) => (output === label ? 1 : 0) - share);
}

/** The output with the most votes, the first of equals. */
export function mostVoted(votes: ArrayLike<number>): number {
  const all = Array.from(votes);
  return all.indexOf(Math.max(...all));
}
