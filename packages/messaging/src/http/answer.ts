import {
  type CryptoProvider,
  type Identity,
  openMessage,
  type PeerId,
  type Random,
  type ReplayWindow,
  sealMessage,
  type Clock,
  fromUtf8,
  utf8,
} from '@peerai/core-protocol';
import type { DeliveryAnswer } from '../protocol.ts';

/**
 * A signed yes or no to one message of our own profile, as the `answer` of the HTTP answer. HTTP alone proves nothing: a hotel's login page answers 200
 * to everything, and a message that was acknowledged so would be lost.
 */
const answerKind = 'message.answer';

interface AnswerDeps {
  readonly identity: Identity;
  readonly crypto: CryptoProvider;
  readonly random: Random;
  readonly clock: Clock;
}

/** The signed answer as a JSON value. */
export function signAnswer(deps: AnswerDeps, to: PeerId, id: string, { outcome, code }: DeliveryAnswer): unknown {
  const payload = { id, outcome, ...(code === undefined ? {} : { code }) };
  const sealed = sealMessage(deps, { kind: answerKind, recipient: to, sequence: 0, payload }, { form: 'json' });
  return JSON.parse(fromUtf8(sealed)) as unknown;
}

/** What the peer answered to this message; undefined when nothing in the body is its signed word about it. */
export function readAnswer(
  deps: Omit<AnswerDeps, 'random'> & { readonly replay: ReplayWindow },
  from: PeerId,
  id: string,
  body: Uint8Array,
): DeliveryAnswer | undefined {
  try {
    const { answer } = JSON.parse(fromUtf8(body)) as { readonly answer?: unknown };
    if (typeof answer !== 'object' || answer === null) return undefined;
    const opened = openMessage(deps, utf8(JSON.stringify(answer)), { self: deps.identity.peer, form: 'json' });
    if (opened.sender !== from || opened.kind !== answerKind) return undefined;
    const said = opened.payload as { readonly id?: unknown; readonly outcome?: unknown; readonly code?: unknown };
    if (said.id !== id || (said.outcome !== 'taken' && said.outcome !== 'refused')) return undefined;
    return { outcome: said.outcome, code: typeof said.code === 'string' ? said.code.slice(0, 64) : undefined };
  } catch {
    // Not JSON, not signed by this peer, not for us: as good as nothing.
    return undefined;
  }
}
