import { startTestnet } from '@peerai/testnet';
import { forkProgram } from '../fork.ts';
import { type Arrival, ask } from '../gateway/ask.ts';
import { type EngineReady, modelName, tokensPerSecond } from '../gateway/workload.ts';
import { type Bench, interleave, resultOf } from '../harness.ts';

const rounds = 9;
const goals = { rate: 0.97, firstMs: 5, gapMs: 3 };
const provider = 'provider';

/** Tokens a second and time to first token through my gateway to a peer’s model, against its engine called directly? */
export const gateway: Bench = {
  name: 'gateway',
  async run({ signal, log }) {
    await using engine = await forkProgram<EngineReady>(
      new URL('../gateway/engine-server.js', import.meta.url),
      signal,
    );
    const { url } = engine.ready;
    log('starting a relay and two agents');
    const testnet = await startTestnet({
      agents: 2,
      relays: 1,
      engine: 'scripted',
      names: [provider, 'consumer'],
      env: { PEERAI_LLM__ENGINES: JSON.stringify([{ type: 'openai-compatible', url }]), PEERAI_LOGGING__LEVEL: 'warn' },
    });
    try {
      const consumer = testnet.agents[1]?.info.api ?? '';
      const [direct, through]: [Arrival[], Arrival[]] = [[], []];
      const keep = (list: Arrival[], base: string, model: string) => async (round: number) => {
        const arrival = await ask(base, model, signal);
        if (round >= 0) list.push(arrival);
        return arrival.tokensPerSecond;
      };
      await interleave(
        { direct: keep(direct, url, modelName), through: keep(through, consumer, `${modelName}@${provider}`) },
        { rounds, warmups: 2, signal },
      );
      return { results: rows(direct, through), notes: notes(through) };
    } finally {
      await testnet.stop();
    }
  },
};

function rows(direct: readonly Arrival[], through: readonly Arrival[]) {
  const of = (list: readonly Arrival[], figure: 'tokensPerSecond' | 'firstMs' | 'gapP99Ms') =>
    list.map((one) => one[figure]);
  const added = (figure: 'firstMs' | 'gapP99Ms') =>
    through.map((one, round) => one[figure] - (direct[round]?.[figure] ?? NaN));
  const both = (figure: 'tokensPerSecond' | 'firstMs' | 'gapP99Ms') => ({
    candidate: of(through, figure),
    baseline: of(direct, figure),
  });
  const most = { unit: 'ms', rule: 'candidate-at-most' } as const;
  return [
    resultOf({
      case: `tokens a second, engine at ${tokensPerSecond}`,
      unit: 'tokens/s',
      ...both('tokensPerSecond'),
      goal: goals.rate,
    }),
    resultOf({ case: 'time to first token, added', ...most, candidate: added('firstMs'), goal: goals.firstMs }),
    resultOf({ case: 'gap between tokens, p99, added', ...most, candidate: added('gapP99Ms'), goal: goals.gapMs }),
    resultOf({ case: 'time to first token', unit: 'ms', ...both('firstMs') }),
    resultOf({ case: 'gap between tokens, p99', unit: 'ms', ...both('gapP99Ms') }),
  ];
}

const notes = (through: readonly Arrival[]): readonly string[] => [
  `The provider's engine is an OpenAI-compatible server; the baseline asks that server. Path of the answers: ${[...new Set(through.map(({ path }) => path ?? 'unknown'))].join(', ')}.`,
  'An added time is the median of the rounds’ own differences.',
];
