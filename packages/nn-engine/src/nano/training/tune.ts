import { seededUnit } from '../../train/random.ts';
import type { Corpus } from '../corpus-types.ts';
import { drawTrials } from '../evaluate.ts';
import type { Heard } from '../listener.ts';
import type { Gate } from '../model-file.ts';
import { misspelled } from '../typos.ts';

const phrasings = 300;
/** Right answers among the tuning questions that the gate must let through. */
const keptShare = 0.99;
const steps = 99;

/**
 * The strictest gate that still lets nearly all right answers through, on questions kept back for that, with typos in every second one. Unrelated
 * questions do not set it: those that people really ask are not known.
 */
export function tuneGate(listen: (text: string) => Heard, corpus: Corpus, seed: number): Gate {
  const random = seededUnit(seed);
  const right = drawTrials(corpus, phrasings, 'tune', seed)
    .map(({ question, intent }, index) => ({
      intent,
      heard: listen(index % 2 === 0 ? question : misspelled(question, random)),
    }))
    .filter(({ intent, heard }) => heard.topic !== undefined && corpus.intents[heard.topic]?.name === intent)
    .map(({ heard }) => heard.probability);
  const kept = (minimum: number): number => right.filter((probability) => probability >= minimum).length;
  for (let step = steps; step > 0; step -= 1) {
    const minimum = step / (steps + 1);
    if (kept(minimum) >= right.length * keptShare) return { minimum };
  }
  return { minimum: 0 };
}
