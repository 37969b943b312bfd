import {
  type Clock,
  type CryptoProvider,
  type Identity,
  type LanguageModel,
  type Prompt,
  type Sampling,
  utf8,
} from '@peerai/core-protocol';
import { promptBytes } from '../share/work.ts';
import { type AnswerStatement, signStatement } from './statement.ts';

/** What was asked of a model and what it gave. */
export interface AnsweredFacts {
  readonly requestId: string;
  readonly prompt: Prompt;
  /** As the model got them: a grant may have allowed fewer tokens than were asked for. */
  readonly sampling: Sampling;
  readonly answer: readonly Uint8Array[];
  readonly reason: AnswerStatement['reason'];
}
/** The signed statement about an answer, or nothing for a model whose answers nobody can ask for again. */
export type Attest = (
  model: LanguageModel,
  facts: AnsweredFacts,
  signal: AbortSignal,
) => Promise<Uint8Array | undefined>;

/** Signs for models that are deterministic and say what they are. It throws what the model's `identify` throws. */
export function attestAnswers(deps: {
  readonly identity: Identity;
  readonly crypto: Pick<CryptoProvider, 'sha256'>;
  readonly clock: Pick<Clock, 'nowMs'>;
  /** What this peer puts before questions that bring no system message of their own; its hash is stated. */
  readonly systemText?: string | undefined;
}): Attest {
  return async (model, { requestId, prompt, sampling, answer, reason }, signal) => {
    if (!model.card.deterministic || model.identify === undefined) return undefined;
    const system = hasSystem(prompt) ? undefined : deps.systemText;
    return signStatement(deps.identity, {
      requestId,
      model: model.card.name,
      identity: await model.identify(signal),
      prompt: deps.crypto.sha256(promptBytes(prompt)),
      ...(system === undefined ? {} : { system: deps.crypto.sha256(utf8(system)) }),
      sampling,
      answer: deps.crypto.sha256(...answer),
      reason,
      statedMs: deps.clock.nowMs(),
    });
  };
}

const hasSystem = ({ messages }: Prompt): boolean => messages.some(({ role }) => role === 'system');
