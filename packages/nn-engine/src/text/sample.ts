import type { Sampling } from '@peerai/core-protocol';

/**
 * The next token by its scores: the largest at temperature 0, which is the default; else drawn from softmax(scores / temperature), from the fewest
 * tokens that have `topP` of it together (Holtzman et al., arXiv 1904.09751).
 *
 * @param random - a number of 0 to below 1, asked once.
 */
export function chooseToken(
  scores: Float32Array,
  { temperature = 0, topP = 1 }: Pick<Sampling, 'temperature' | 'topP'>,
  random: () => number,
): number {
  let best = 0;
  scores.forEach((score, token) => {
    if (score > (scores[best] ?? -Infinity)) best = token;
  });
  if (!(temperature > 0)) return best;
  const greatest = scores[best] ?? 0;
  const shares = Array.from(scores, (score, token) => ({ token, share: Math.exp((score - greatest) / temperature) }));
  shares.sort((a, b) => b.share - a.share);
  const total = shares.reduce((sum, { share }) => sum + share, 0);
  const kept: typeof shares = [];
  let sum = 0;
  for (const one of shares) {
    if (kept.length > 0 && sum >= topP * total) break;
    kept.push(one);
    sum += one.share;
  }
  let left = random() * sum;
  return kept.find(({ share }) => (left -= share) < 0)?.token ?? best;
}
