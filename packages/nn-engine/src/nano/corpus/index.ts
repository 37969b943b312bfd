/** Everything the nano guide learns: intents by topic, unrelated questions, and phrasings kept back for evaluation. */
import type { Corpus, Intent } from '../corpus-types.ts';
import { aboutIntents } from './about.ts';
import { clientIntents } from './clients.ts';
import { commandIntents } from './command.ts';
import { engineIntents } from './engines.ts';
import { fileIntents } from './files.ts';
import { heldOutPatterns } from './held-out.ts';
import { laterIntents } from './later.ts';
import { mannersIntents } from './manners.ts';
import { nanoIntents } from './nano.ts';
import { networkIntents } from './network.ts';
import { pairIntents } from './pair.ts';
import { privacyIntents } from './privacy.ts';
import { refusal } from './refusal.ts';
import { shareIntents } from './share.ts';
import { smalltalkIntents } from './smalltalk.ts';
import { startIntents } from './start.ts';
import { unrelated } from './unrelated.ts';

export { allExpansions, countExpansions, expand, normalizePhrase, parsePattern } from './expand.ts';

const intents: readonly Intent[] = [
  ...aboutIntents,
  ...nanoIntents,
  ...engineIntents,
  ...startIntents,
  ...shareIntents,
  ...pairIntents,
  ...clientIntents,
  ...privacyIntents,
  ...networkIntents,
  ...fileIntents,
  ...commandIntents,
  ...laterIntents,
  ...smalltalkIntents,
  ...mannersIntents,
];

export const corpus: Corpus = { intents, unrelated, refusal, heldOutPatterns };
