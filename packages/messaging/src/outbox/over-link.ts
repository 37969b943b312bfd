import { callMethod, type Network, type Clock, PeerAiError, type PeerId, utf8 } from '@peerai/core-protocol';
import { pcpLimits, writeFrame } from '@peerai/core-protocol/pcp';
import { type SealDeps, sealLetter } from '../letter.ts';
import { type DeliveryAnswer, deliverFrameMethod, deliverMethod } from '../protocol.ts';
import type { OutRow } from '../rows.ts';
import type { Outbox, Waiting } from './outbox.ts';

export interface OverLinkDeps extends SealDeps {
  readonly network: Network;
  readonly clock: Clock;
  /** This peer said that it takes frames. */
  readonly hasFrames?: (to: PeerId) => boolean;
}
/** What a peer answered to the first letters of several, and why the others have to come again. */
export interface LinkAnswers {
  readonly answers: readonly DeliveryAnswer[];
  readonly later?: PeerAiError;
}

/** What another way may get past, because no answer of the peer came over the link. */
export const linkCodes = ['PEER_UNREACHABLE', 'CHANNEL_CLOSED', 'TIMEOUT'];

const isSmall = ({ content }: OutRow): boolean => utf8(content).length <= pcpLimits.compressAboveBytes;

/**
 * The letter, and where it is small the small ones that would go next, as many as one frame holds. What is larger goes alone: it is worth compressing,
 * and texts of several origins do not belong into one compressed frame.
 */
export async function together(
  { outbox, clock, hasFrames }: Pick<OverLinkDeps, 'clock' | 'hasFrames'> & { readonly outbox: Outbox },
  to: PeerId,
  letter: Waiting,
): Promise<readonly Waiting[]> {
  if (hasFrames?.(to) !== true || !isSmall(letter)) return [letter];
  const nowMs = clock.nowMs();
  const fits = (one: Waiting): boolean => isSmall(one) && one.expiresMs >= nowMs;
  return [letter, ...(await outbox.following(to, letter, pcpLimits.batchMessagesMax - 1, fits))];
}

/** One attempt over a live link. Throws what `callMethod` throws; a frame that the peer does not take after all is sent as one letter. */
export async function overLink(
  deps: OverLinkDeps,
  to: PeerId,
  letters: readonly OutRow[],
  signal: AbortSignal,
): Promise<LinkAnswers> {
  const [first] = letters;
  if (first === undefined) return { answers: [] };
  if (deps.hasFrames?.(to) === true && (letters.length > 1 || !isSmall(first))) {
    try {
      return await inFrame(deps, to, letters, signal);
    } catch (error) {
      // One of an older version now, or a link that broke: the latter is for other ways to get past.
      if (signal.aborted || !PeerAiError.is(error) || linkCodes.includes(error.code)) throw error;
    }
  }
  const letter = sealLetter(deps, to, first);
  return { answers: [await callMethod(deps, to, deliverMethod, { letter }, { signal })] };
}

async function inFrame(
  deps: OverLinkDeps,
  to: PeerId,
  letters: readonly OutRow[],
  signal: AbortSignal,
): Promise<LinkAnswers> {
  const sealed = letters.map((letter) => sealLetter(deps, to, letter));
  const frame = writeFrame(sealed, { compress: sealed.length === 1 });
  const { answers: said } = await callMethod(deps, to, deliverFrameMethod, { frame }, { signal });
  const answers: DeliveryAnswer[] = [];
  for (const { outcome, code } of said.slice(0, letters.length)) {
    if (outcome === 'later') return { answers, later: new PeerAiError(code ?? 'INTERNAL', 'the peer takes it later') };
    answers.push({ outcome, code });
  }
  if (answers.length === letters.length) return { answers };
  return { answers, later: new PeerAiError('INVALID_FORMAT', 'the peer did not answer for every letter') };
}
