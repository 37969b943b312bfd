/** Everything the nano guide learns: intents by topic, unrelated questions, and phrasings kept back for evaluation. */
import type { Corpus, Intent } from '../corpus-types.ts';
import { aboutIntents } from './about.ts';
import { heldOutPatterns } from './held-out.ts';
import { refusal } from './refusal.ts';
import { shareIntents } from './share.ts';
import { smalltalkIntents } from './smalltalk.ts';
import { unrelated } from './unrelated.ts';

export { allExpansions, countExpansions, expand, normalizePhrase, parsePattern } from './expand.ts';

const intents: readonly Intent[] = [...aboutIntents, ...shareIntents, ...smalltalkIntents];

export const corpus: Corpus = { intents, unrelated, refusal, heldOutPatterns };
