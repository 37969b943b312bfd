import type { Sampling } from '@peerai/core-protocol';

/**
 * The next token by its scores: the largest at temperature 0, which is the default; else drawn from softmax(scores / temperature), from the fewest
 * tokens that have `topP` of it together (Holtzman et al., arXiv 1904.09751), of the `topK` largest where that is given.
 *
 * @param random - a number of 0 to below 1, asked once.
 */
export function chooseToken(
  scores: Float32Array,
  {
    temperature = 0,
    topP = 1,
    topK = scores.length,
  }: Pick<Sampling, 'temperature' | 'topP'> & { readonly topK?: number },
  random: () => number,
): number {
  let best = 0;
  scores.forEach((score, token) => {
    if (score > (scores[best] ?? -Infinity)) best = token;
  });
  if (!(temperature > 0)) return best;
  const greatest = scores[best] ?? 0;
  const shareOf = (score: number, token: number) => ({ token, share: Math.exp((score - greatest) / temperature) });
  const shares =
    topK < scores.length
      ? largest(scores, topK).map((token) => shareOf(scores[token] ?? -Infinity, token))
      : Array.from(scores, shareOf);
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

/** Places of the `count` largest scores: a hundred thousand are not sorted for fifty. */
function largest(scores: Float32Array, count: number): readonly number[] {
  const kept: number[] = [];
  let least = -Infinity;
  for (const [token, score] of scores.entries()) {
    if (kept.length >= count && !(score > least)) continue;
    let place = kept.length;
    while (place > 0 && (scores[kept[place - 1] ?? 0] ?? 0) < score) place -= 1;
    kept.splice(place, 0, token);
    if (kept.length > count) kept.pop();
    if (kept.length === count) least = scores[kept.at(-1) ?? 0] ?? -Infinity;
  }
  return kept;
}
