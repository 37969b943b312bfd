import type { Admission, PeerAiError, PeerId } from '@peerai/core-protocol';
import { llmError } from '../errors.ts';

/**
 * What to say to somebody who asks for a model that is not here. Without a right to it that is the same refusal as for one that is here:
 * whoever may not ask learns no names. Throws what `reserve` throws.
 */
export async function unknownModel(
  { admission }: { readonly admission: Admission },
  asked: { readonly peer: PeerId; readonly requestId: string; readonly model: string; readonly grant?: Uint8Array },
): Promise<PeerAiError> {
  const { peer, requestId, model, grant } = asked;
  const claim = { peer, requestId, resource: `model:${model}`, units: 1 };
  const reservation = await admission.reserve(grant === undefined ? claim : { ...claim, grant });
  await reservation.release();
  return llmError('MODEL_UNKNOWN', 'this peer has no model of that name');
}
