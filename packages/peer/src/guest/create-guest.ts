import { callMethod, type Identity, type Link, type ModelCard, PeerAiError, type PeerId } from '@peerai/core-protocol';
import { proveTicket, type Ticket } from '@peerai/core-protocol/access';
import { createReceiptBook, openLedger } from '@peerai/ledger';
import { chatEvents, errorEvent } from '../chat/chat-events.ts';
import type { ChatEvent } from '../chat/chat.schema.ts';
import { openedView } from '../ledger/books.ts';
import { createSigning } from '../ledger/signing.ts';
import { createLinkBook } from '../links/link-book.ts';
import { askedModel } from '../models/asking.ts';
import { shareMethod } from '../share/share-protocol.ts';
import type { Guest, GuestWorld, ShareState } from './guest.ts';

/** Refusals behind which a signature may be owed: that of the last answer, also of a link that has ended meanwhile. */
const mayOwe = ['RECEIPT_UNSIGNED', 'TICKET_REVOKED', 'TICKET_EXPIRED', 'BUDGET_SPENT'] as const;
/** Tokens of an answer when the page names none. */
const maxTokensDefault = 512;
/** Receipts a tab shows. */
const receiptsShownMax = 200;

/**
 * One guest with one link, in a browser tab or anywhere else: proves the ticket, asks, countersigns, keeps its receipts in its own log.
 * Throws TICKET_INVALID for a ticket that is no share, and what the store throws.
 */
export async function createGuest(world: GuestWorld, identity: Identity, ticket: Ticket): Promise<Guest> {
  if (ticket.kind !== 'share') throw new PeerAiError('TICKET_INVALID', 'this link pairs a device; it opens no chat');
  const { crypto, clock, network, store } = world;
  const ledger = await openLedger({ store: store.room('ledger'), identity, crypto, clock });
  const receipts = createReceiptBook({ store: store.room('receipts'), ledger, identity, crypto, clock });
  const signing = createSigning({ store, network, clock, receipts });
  const grant = proveTicket(crypto, ticket, identity.peer);
  const addresses = ticket.addresses.map((address) => `${address}/p2p/${ticket.provider}`);
  const links = createLinkBook();
  const path = (): 'direct' | 'relayed' => links.get(ticket.provider)?.path ?? 'relayed';

  const state = async (signal: AbortSignal): Promise<ShareState> => {
    const answer = await callMethod({ network, clock }, ticket.provider, shareMethod, { grant }, { signal, addresses });
    return {
      models: answer.models,
      tokensBudget: answer.tokensBudget,
      tokensUsed: answer.tokensUsed,
      expiresMs: answer.expiresMs,
    };
  };
  const connect = async (signal: AbortSignal): Promise<ShareState> => {
    try {
      return await state(signal);
    } catch (error) {
      if (!PeerAiError.is(error, ...mayOwe)) throw error;
      const signed = signing.catchUp(ticket.provider, ticket.id, { signal, addresses });
      if (PeerAiError.is(error, 'RECEIPT_UNSIGNED')) {
        await signed;
        return state(signal);
      }
      await signed.catch(() => undefined);
      throw error;
    }
  };
  return {
    ticket,
    self: identity.peer,
    connect,
    state,
    async *ask(messages, options, signal): AsyncIterable<ChatEvent> {
      const name = options.model ?? ticket.models[0];
      if (name === undefined) return yield errorEvent(new PeerAiError('MODEL_NOT_SHARED', 'this link names no model'));
      const target = { peer: ticket.provider, card: cardOf(name), lease: ticket.id, addresses, grant: () => grant };
      const model = askedModel({ ...world, signing }, target);
      const parts = model.generate({ messages }, { maxTokens: options.maxTokens ?? maxTokensDefault }, signal);
      yield* chatEvents(clock, parts, {
        model: name,
        servedBy: { peerId: ticket.provider, name: ticket.name, path: path() },
        nameOf: () => ticket.name,
        receiptView: (bytes) => openedView(crypto, bytes),
      });
    },
    link: (signal) => watch(network.links(signal), ticket.provider, links),
    async receipts() {
      const page = await receipts.list({ limit: receiptsShownMax, peer: ticket.provider });
      return page.receipts.map(({ bytes }) => bytes);
    },
  };
}

async function* watch(
  changes: AsyncIterable<Link>,
  provider: PeerId,
  links: ReturnType<typeof createLinkBook>,
): AsyncIterable<{ readonly path: 'direct' | 'relayed'; readonly roundTripMs: number } | undefined> {
  for await (const link of changes) {
    links.take(link);
    if (link.peer !== provider) continue;
    const best = links.get(provider);
    yield best === undefined ? undefined : { path: best.path, roundTripMs: best.roundTripMs };
  }
}

/** What a guest needs to know of the model: its name; the provider enforces the rest. */
function cardOf(name: string): ModelCard {
  return {
    name,
    engine: 'shared',
    contextTokensMax: 0,
    memoryBytes: 0,
    loaded: true,
    deterministic: false,
    fits: true,
  };
}
