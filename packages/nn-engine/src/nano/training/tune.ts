import { seededUnit } from '../../train/random.ts';
import type { Corpus } from '../corpus-types.ts';
import { begin, choose, type NanoEngine, readQuestion } from '../engine.ts';
import { drawTrials, type Trial } from '../evaluate.ts';
import type { Gate } from '../model-file.ts';
import { unrelatedPartOf } from '../split.ts';
import { special } from '../tokenizer.ts';
import { misspelled } from '../typos.ts';

/** What the model did with one question of the tuning part, over its first tokens. */
interface Observation {
  /** The joint probability after 1, 2, … tokens. */
  readonly joint: readonly number[];
  readonly refusedItself: boolean;
  readonly right: boolean;
  readonly unrelated: boolean;
}

export interface Tuned {
  readonly gate: Gate;
  /** Shares on the tuning questions with this gate. */
  readonly known: number;
  readonly refused: number;
}

const tokensWatched = 16;
const gateTokens = [5, 8, 12, 16] as const;
const minimums = Array.from({ length: 39 }, (_, index) => 0.02 + index * 0.025);
const phrasings = 300;
/** The gate must refuse this share of the unrelated tuning questions, a margin over the goal of 0.85. */
const refusedGoal = 0.93;

/** Chooses the gate on questions kept for that: the most right answers among those gates that refuse enough, with typos in every second question. */
export async function tuneGate(engine: NanoEngine, corpus: Corpus, seed: number): Promise<Tuned> {
  const random = seededUnit(seed);
  const known = drawTrials(corpus, phrasings, 'tune', seed).map((trial, index) =>
    index % 2 === 0 ? trial : { ...trial, question: misspelled(trial.question, random) },
  );
  const unrelated = corpus.unrelated.train
    .filter((question) => unrelatedPartOf(question) === 'tune')
    .map((question): Trial => ({ question, intent: undefined }));
  const observations: Observation[] = [];
  for (const trial of [...known, ...unrelated]) observations.push(await observe(engine, corpus, trial));
  const candidates = gateTokens.flatMap((tokens) =>
    minimums.map((minimum) => judge({ tokens, minimum }, observations)),
  );
  const enough = candidates.filter(({ refused }) => refused >= refusedGoal);
  const best = (enough.length > 0 ? enough : candidates).reduce((left, right) =>
    value(right) > value(left) ? right : left,
  );
  return best;
}

function value({ known, refused }: Tuned): number {
  return known + refused / 10;
}

function judge(gate: Gate, observations: readonly Observation[]): Tuned {
  const passes = ({ joint, refusedItself }: Observation): boolean =>
    !refusedItself && (joint[Math.min(gate.tokens, joint.length) - 1] ?? 0) >= gate.minimum;
  const [known, unrelated] = [
    observations.filter((one) => !one.unrelated),
    observations.filter((one) => one.unrelated),
  ];
  return {
    gate,
    known: known.filter((one) => one.right && passes(one)).length / Math.max(1, known.length),
    refused: unrelated.filter((one) => !passes(one)).length / Math.max(1, unrelated.length),
  };
}

async function observe(engine: NanoEngine, corpus: Corpus, { question, intent }: Trial): Promise<Observation> {
  const read = readQuestion(engine.tokenizer, question);
  const session = await engine.decoder.open();
  try {
    const first: number[] = [];
    const joint: number[] = [];
    let chosen = await begin(engine, session, read);
    for (let product = 1; ; chosen = await choose(session, chosen.token)) {
      product *= chosen.probability;
      first.push(chosen.token);
      joint.push(product);
      if (chosen.token === special.end || first.length >= tokensWatched) break;
    }
    const text = engine.tokenizer.decode(first);
    const answer = corpus.intents.find(({ name }) => name === intent)?.answer;
    const refusedItself = !read.readable || corpus.refusal.startsWith(text);
    return { joint, refusedItself, right: answer?.startsWith(text) === true, unrelated: intent === undefined };
  } finally {
    await session.close();
  }
}
