import { type Clock, PeerAiError, type PeerId } from '@peerai/core-protocol';
import { readFrame } from '@peerai/core-protocol/pcp';
import { limits } from '../limits.ts';
import type { FrameAnswer } from '../protocol.ts';
import type { Inbox } from './inbox.ts';

/**
 * The letters of a frame, one after the other, each for itself. After one that has to come again nothing more is begun: its sender's order would be
 * lost. Nor when the time for one attempt is nearly over. Throws INVALID_FORMAT and LIMIT_EXCEEDED for what is no frame.
 *
 * @param onError - hears of what is no PeerAiError; its sender is told INTERNAL.
 */
export async function takeFrame(
  inbox: Pick<Inbox, 'take'>,
  clock: Pick<Clock, 'elapsedMs'>,
  {
    from,
    frame,
    onError,
  }: { readonly from: PeerId; readonly frame: Uint8Array; readonly onError: (error: unknown) => void },
  signal: AbortSignal,
): Promise<readonly FrameAnswer[]> {
  const startMs = clock.elapsedMs();
  const answers: FrameAnswer[] = [];
  let code: string | undefined;
  for (const letter of readFrame(frame)) {
    if (clock.elapsedMs() - startMs > limits.frameBeginMsMax) code ??= 'TIMEOUT';
    if (code === undefined) {
      try {
        answers.push(await inbox.take(from, letter, signal));
        continue;
      } catch (error) {
        if (!PeerAiError.is(error)) onError(error);
        code = PeerAiError.is(error) ? error.code : 'INTERNAL';
      }
    }
    answers.push({ outcome: 'later', code });
  }
  return answers;
}
