/** One kind of noisy sum, repeated: each contributor takes part with probability `sampleRate`, is clipped to length 1, and noise is added. */
export interface NoisySteps {
  /** Deviation of the Gaussian noise, in units of the clip length. */
  readonly noise: number;
  /** 0 to 1; 1 when everybody takes part each time. */
  readonly sampleRate: number;
  readonly steps: number;
}

export interface PrivacyLoss {
  /** With probability 1 − δ no contributor changes what anybody sees by more than a factor of e^ε. */
  readonly epsilon: number;
  /** The Rényi order that gave the smallest ε. */
  readonly order: number;
}

/** Orders tried: with only whole ones ε is a little larger than with fractions, never smaller. */
const orderMax = 512;

/** `mironov` (arXiv 1702.07476, proposition 3) is what older published figures use; `canonne` (arXiv 2004.00010) is never larger. */
export type Conversion = 'mironov' | 'canonne';

/**
 * ε of everything spent so far, by Rényi accounting of the sampled Gaussian mechanism (Mironov, Talwar and Zhang, arXiv 1908.10530).
 *
 * Assumes Poisson sampling and real-valued noise; that floating-point noise leaks more is known (Mironov 2012) and not defended against.
 *
 * @param delta - 0 to 1, both excluded.
 */
export function privacyLoss(
  spent: readonly NoisySteps[],
  delta: number,
  conversion: Conversion = 'canonne',
): PrivacyLoss {
  let best: PrivacyLoss = { epsilon: Number.POSITIVE_INFINITY, order: 2 };
  if (spent.every(({ steps }) => steps === 0)) return { epsilon: 0, order: 2 };
  for (let order = 2; order <= orderMax; order += 1) {
    const renyi = spent.reduce((sum, entry) => sum + entry.steps * renyiLoss(entry, order), 0);
    const tighter = conversion === 'canonne' ? Math.log1p(-1 / order) - Math.log(order) / (order - 1) : 0;
    const epsilon = Math.max(0, renyi - Math.log(delta) / (order - 1) + tighter);
    if (epsilon < best.epsilon) best = { epsilon, order };
  }
  return best;
}

/** Rényi divergence of one step at a whole order; the binomial sum of the paper's equation 4, in logarithms. */
function renyiLoss({ noise, sampleRate, steps }: NoisySteps, order: number): number {
  if (steps === 0 || sampleRate === 0) return 0;
  if (sampleRate === 1) return order / (2 * noise * noise);
  const terms = Array.from(
    { length: order + 1 },
    (_, k) =>
      logBinomial(order, k) +
      k * Math.log(sampleRate) +
      (order - k) * Math.log1p(-sampleRate) +
      (k * k - k) / (2 * noise * noise),
  );
  const most = terms.reduce((a, b) => Math.max(a, b));
  return (most + Math.log(terms.reduce((sum, term) => sum + Math.exp(term - most), 0))) / (order - 1);
}

const logFactorials = [0];

function logFactorial(n: number): number {
  for (let next = logFactorials.length; next <= n; next += 1)
    logFactorials[next] = (logFactorials[next - 1] ?? 0) + Math.log(next);
  return logFactorials[n] ?? 0;
}

function logBinomial(n: number, k: number): number {
  return logFactorial(n) - logFactorial(k) - logFactorial(n - k);
}
