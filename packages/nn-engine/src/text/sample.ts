import type { Sampling } from '@peerai/core-protocol';

/**
 * The next token by its scores: the largest at temperature 0, which is the default; else drawn from softmax(scores / temperature), from the fewest
 * tokens that have `topP` of it together (Holtzman et al., arXiv 1904.09751), of the `topK` largest where that is given.
 *
 * @param random - a number of 0 to below 1, asked once.
 */
export const chooseToken = (scores: Float32Array, wish: Wish, random: () => number): number =>
  chooseWithMargin(scores, wish, random).token;

type Wish = Pick<Sampling, 'temperature' | 'topP'> & { readonly topK?: number };
export interface Choice {
  readonly token: number;
  /** How far two scores would have to move towards each other until another token is chosen, nats: at least so far, where it was drawn. `topK` is not looked at. */
  readonly margin: number;
}

/** The same, and how nearly another was chosen: whoever rounds otherwise by more than that may choose that one. */
export function chooseWithMargin(
  scores: Float32Array,
  { temperature = 0, topP = 1, topK = scores.length }: Wish,
  random: () => number,
): Choice {
  let [best, second] = [0, -Infinity];
  scores.forEach((score, token) => {
    const most = scores[best] ?? -Infinity;
    if (score > most) [best, second] = [token, most];
    else if (token !== best && score > second) second = score;
  });
  if (!(temperature > 0)) return { token: best, margin: (scores[best] ?? 0) - second };
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
  const draw = random() * sum;
  let [place, below] = [0, 0];
  for (; draw >= below + (kept[place]?.share ?? Infinity); place += 1) below += kept[place]?.share ?? 0;
  const drawn = kept[place];
  if (drawn === undefined) return { token: best, margin: 0 };
  const borders = [
    ...(place > 0 ? [draw - below] : []),
    ...(place < kept.length - 1 ? [below + drawn.share - draw] : []),
    // With one token more or less in it, all that is kept is divided otherwise.
    ...(topP < 1 ? [sum - topP * total, topP * total - (sum - (kept.at(-1)?.share ?? 0))].map(Math.abs) : []),
  ];
  // Scores that are all off by d move the share of all below a border by d / (2 · temperature) at most, and two scores towards each other by 2 · d.
  const ofBorders = borders.map((far) => (4 * temperature * far) / total);
  const scoreOf = ({ token }: { readonly token: number }): number => scores[token] ?? -Infinity;
  const besides = [shares[place - 1], shares[place + 1]].filter((one) => one !== undefined);
  const ofOrder = besides.map((one) => Math.abs(scoreOf(one) - scoreOf(drawn)));
  return { token: drawn.token, margin: Math.min(Infinity, ...ofBorders, ...ofOrder) };
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
