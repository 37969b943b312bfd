import { PeerAiError, type PeerId } from '@peerai/core-protocol';
import { limits } from '../limits.ts';
import type { PairingHost } from './host.ts';
import type { TakenInvite } from './invites.ts';
import type { PairAnswer, PairRequest } from './pair-protocol.ts';
import { shownPairing } from './shown.ts';
import type { Waiting } from './waiting-room.ts';

/**
 * The inviter's side: take the invite, show the emoji, wait for the owner. A joiner whose link broke finds its pairing again, also when this
 * peer was restarted meanwhile; one that left on purpose ends it.
 */
export async function* answerJoiner(
  host: PairingHost,
  request: PairRequest,
  { peer, signal }: { readonly peer: PeerId; readonly signal: AbortSignal },
): AsyncIterable<PairAnswer> {
  const invite = await host.invites.take(request.grant, peer);
  const reply = async (state: PairAnswer['state']): Promise<PairAnswer> => ({
    state,
    name: host.name(),
    addresses: state === 'accepted' ? [...(await host.inviteAddresses())] : [],
    allow: [...invite.allow],
  });
  if (isPaired(host, peer, invite)) return yield await reply('accepted');
  const waiting = host.room.find(invite.id) ?? show(host, invite, peer, request);
  yield await reply('waiting');
  await endOf(waiting, signal, host.stopping);
  const { state } = waiting.view;
  host.logger.info('pairing-ended', { peer, decision: state });
  if (state !== 'waiting') yield await reply(state);
}

/** Accepted under this invite before: only the word of it did not get through. */
function isPaired({ devices }: PairingHost, peer: PeerId, { takenMs }: TakenInvite): boolean {
  const device = devices.get(peer);
  return device !== undefined && !device.blocked && device.pairedMs >= takenMs;
}

function show(
  host: PairingHost,
  { id, secret, allow }: TakenInvite,
  peer: PeerId,
  { name, addresses }: PairRequest,
): Waiting {
  host.logger.info('pairing-waiting', { peer });
  const view = shownPairing(host, { id, peer, name, secret, allow, direction: 'incoming' });
  const known = addresses.slice(0, limits.addressesMax);
  return host.room.add(view, { peer, name, allow, addresses: known, lease: id });
}

/** Resolves when the pairing has ended, or nobody listens any more; a joiner that closed on purpose ends it. */
async function endOf(waiting: Waiting, signal: AbortSignal, stopping: AbortSignal): Promise<void> {
  const over = AbortSignal.any([waiting.ended, signal, stopping]);
  if (!over.aborted)
    await new Promise<void>((resolve) => over.addEventListener('abort', () => resolve(), { once: true }));
  if (signal.aborted && closedOnPurpose(signal.reason)) waiting.end('expired');
}

/** A reset carries a code; a lost link does not. */
function closedOnPurpose(reason: unknown): boolean {
  return PeerAiError.is(reason) && typeof reason.details['code'] === 'string';
}
