import { evaluateNano, type Score } from '@peerai/nn-engine';
import { type Bench, notMeasured, type Result } from '../harness.ts';
import { nanoMissing, shippedNano } from '../nano.ts';

const seed = 1;
const gates = [
  ['known', 'unseen phrasings of known patterns', 93],
  ['typos', 'the same with typos', 90],
  ['unrelated', 'unrelated questions refused', 85],
  ['unseenPatterns', 'patterns it never saw', null],
] as const;
const unit = '% right';

/** How often is the nano model right, judged by intent, and how often does it know that it does not know? */
export const nanoQuality: Bench = {
  name: 'nano-quality',
  async run({ signal, log }) {
    const model = shippedNano();
    if (model === undefined) {
      const results = gates.flatMap(([, name, goal]) =>
        goal === null ? [] : [notMeasured({ case: name, unit, goal, rule: 'candidate-at-least' })],
      );
      return { results, notes: [nanoMissing] };
    }
    log('asking some hundred questions');
    const evaluation = await evaluateNano(model, { seed, signal });
    return {
      results: gates.map(([part, name, goal]) => scoreResult(name, goal, evaluation[part])),
      notes: [
        ...gates.map(([part, name]) => scoreNote(name, evaluation[part])),
        `Counts, not times: the same questions on every machine (seed ${seed}), asked once. A refusal of a known question is never right.`,
      ],
    };
  },
};

function scoreResult(name: string, goal: number | null, { share }: Score): Result {
  const candidate = share * 100;
  const rule = goal === null ? null : 'candidate-at-least';
  return {
    case: name,
    ratio: null,
    goal,
    pass: goal === null || candidate >= goal,
    baseline: null,
    candidate,
    unit,
    rule,
  };
}

const scoreNote = (name: string, { right, total, refused, suggested }: Score): string =>
  `${name}: ${right} of ${total} right, ${refused} refused, ${suggested} of those with the right question suggested.`;
