import { type CryptoProvider, PeerAiError, streamMethod, toHex } from '@peerai/core-protocol';
import { decodeTicket, type ParsedLink, parseLink, proveTicket, type Ticket } from '@peerai/core-protocol/access';
import { limits } from '../limits.ts';
import type { PairingHost } from './host.ts';
import { pairMethod, type PairAnswer } from './pair-protocol.ts';
import type { PendingPairing } from './pairing.schema.ts';
import { type Permission, permissions as known } from './permissions.ts';
import { shownPairing } from './shown.ts';
import type { Waiting } from './waiting-room.ts';

/** The joiner's side: returns once the inviter answered, and goes on waiting behind. The same link again finds the same pairing. */
export async function joinInviter(host: PairingHost, link: string, signal: AbortSignal): Promise<PendingPairing> {
  const ticket = inviteTicket(host, link);
  const known = host.room.find(toHex(ticket.id));
  if (known?.view.state === 'waiting') return known.view;
  const { promise: first, resolve: answered, reject: failed } = Promise.withResolvers<PendingPairing>();
  const leaving = new AbortController();
  const onAbort = (): void => leaving.abort(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  void follow(host, ticket, leaving.signal, answered).catch(failed);
  try {
    return await first;
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

/** Codes after which the inviter may still be there: a broken link, a restart, a channel it has not noticed to be gone. */
const passingCodes = ['CHANNEL_CLOSED', 'PEER_UNREACHABLE', 'REFUSED', 'LIMIT_REACHED', 'TIMEOUT'] as const;

async function follow(
  host: PairingHost,
  ticket: Ticket,
  leaving: AbortSignal,
  answered: (view: PendingPairing) => void,
): Promise<void> {
  const over = new AbortController();
  const signal = AbortSignal.any([leaving, host.stopping, over.signal]);
  const begunMs = host.clock.elapsedMs();
  let waiting: Waiting | undefined;
  while (!signal.aborted) {
    try {
      for await (const reply of ask(host, ticket, signal)) {
        if (waiting === undefined) {
          waiting = show(host, ticket, reply);
          waiting.ended.addEventListener('abort', () => over.abort(), { once: true });
          answered(waiting.view);
        }
        if (reply.state !== 'waiting') return await take(host, ticket, waiting, reply);
      }
      throw new PeerAiError('CHANNEL_CLOSED', 'the other device ended the pairing without an answer');
    } catch (error) {
      if (waiting === undefined) {
        const isOver = host.clock.elapsedMs() - begunMs >= limits.joinTryMs;
        if (isOver || !PeerAiError.is(error, 'PEER_UNREACHABLE') || error.details['mayComeSoon'] !== true) throw error;
        await host.clock.sleep(limits.joinAgainMs, signal).catch(() => undefined);
        continue;
      }
      if (signal.aborted) return;
      host.logger.info('pairing-lost', {
        peer: ticket.provider,
        code: PeerAiError.is(error) ? error.code : 'INTERNAL',
      });
      if (!PeerAiError.is(error, ...passingCodes)) waiting.end('expired');
      await host.clock.sleep(limits.redialMsMin, signal).catch(() => undefined);
    }
  }
  if (waiting === undefined) throw new PeerAiError('ABORTED', 'the pairing was given up', {}, { cause: signal.reason });
}

/** The inviter's words. When the signal fires the channel is closed with a code, which tells the inviter that this was meant. */
function ask(host: PairingHost, ticket: Ticket, signal: AbortSignal): AsyncIterable<PairAnswer> {
  const grant = proveTicket(host.crypto, ticket, host.identity.peer);
  const addresses = [...host.network.addresses()].slice(0, limits.addressesMax);
  return streamMethod(
    host,
    ticket.provider,
    pairMethod,
    { grant, name: host.name(), addresses },
    { signal, addresses: ticket.addresses },
  );
}

function show(host: PairingHost, ticket: Ticket, { name }: PairAnswer): Waiting {
  const { provider: peer, secret, allow } = ticket;
  return host.room.add(
    shownPairing(host, { id: toHex(ticket.id), peer, name, secret, allow: permissions(allow), direction: 'outgoing' }),
  );
}

async function take(
  host: PairingHost,
  ticket: Ticket,
  waiting: Waiting,
  { state, name, addresses }: PairAnswer,
): Promise<void> {
  if (state === 'waiting') return;
  if (state !== 'accepted') return waiting.end(state);
  const device = {
    peer: ticket.provider,
    name,
    // What the signed invite said and this screen showed, whatever the last reply says.
    allow: permissions(ticket.allow),
    addresses: addresses.slice(0, limits.addressesMax),
    lease: toHex(ticket.id),
  };
  await waiting.accept(() => host.remember(device));
}

function inviteTicket({ crypto, clock, identity, room }: PairingHost, link: string): Ticket {
  const ticket = decodeInvite(crypto, readInvite(link));
  if (ticket.kind !== 'pair') throw new PeerAiError('INVITE_INVALID', 'this link holds no invite');
  if (ticket.provider === identity.peer)
    throw new PeerAiError('SELF_PAIRING', 'this invite was made by this very device');
  if (ticket.expiresMs <= clock.nowMs())
    throw new PeerAiError('INVITE_EXPIRED', 'this invite is older than ten minutes; ask for a new one');
  room.checkRoom();
  return ticket;
}

/** The invite's ticket, as text. To whoever joins, a link is an invite or it is not: the codes of other links would mislead. */
function readInvite(link: string): string {
  let parsed: ParsedLink;
  try {
    parsed = parseLink(link);
  } catch (cause) {
    throw notAnInvite(cause);
  }
  if (parsed.kind === 'pair') return parsed.ticket;
  if (parsed.kind === 'seed') throw notAnInvite();
  throw new PeerAiError('INVITE_INVALID', 'this link shares a model, it is no invite', {
    hint: 'Open it in a browser to chat. To add this device, run `peerai invite` on the other one.',
  });
}

function decodeInvite(crypto: CryptoProvider, text: string): Ticket {
  try {
    return decodeTicket(crypto, text);
  } catch (cause) {
    throw new PeerAiError(
      'INVITE_INVALID',
      'this invite is damaged; a part of it is missing or changed',
      {},
      { cause },
    );
  }
}

function notAnInvite(cause?: unknown): PeerAiError {
  return new PeerAiError('INVITE_INVALID', 'this is no invite; one looks like peerai://pair/…', {}, { cause });
}

/** What an invite may ask of who joins. Whose device it is says each owner by itself: a link that somebody sent must not open what is personal. */
function permissions(texts: readonly string[]): Permission[] {
  return known.filter((name) => name !== 'own' && texts.includes(name));
}
