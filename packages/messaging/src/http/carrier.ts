import {
  type Clock,
  type CryptoProvider,
  fromUtf8,
  type Identity,
  PeerAiError,
  type PeerId,
  type Random,
  ReplayWindow,
} from '@peerai/core-protocol';
import { sealConcat, sealSix } from '@peerai/core-protocol/pcp';
import { finalCodes } from '../inbox/inbox.ts';
import { sealLetter } from '../letter.ts';
import type { Carrier } from '../outbox/courier.ts';
import type { DeliveryAnswer } from '../protocol.ts';
import type { OutRow } from '../rows.ts';
import { sessionAsk } from '../session/ask.ts';
import type { SessionAsk, SessionDialer } from '../session/dialer.ts';
import { readAnswer } from './answer.ts';
import { type Breaker, createBreaker } from './breaker.ts';
import type { Contact, Contacts } from './contacts.ts';
import type { Counts } from './counts.ts';
import { type AssistantText, sealEnvelope } from './envelope.ts';
import { httpLimits } from './limits.ts';
import { joinUrl } from './join-url.ts';
import { toOldest } from './old-kinds.ts';
import type { HttpPost } from './ports.ts';

export interface HttpCarrierDeps {
  readonly identity: Identity;
  readonly crypto: CryptoProvider;
  readonly random: Random;
  readonly clock: Clock;
  readonly contacts: Contacts;
  readonly counts: Counts;
  readonly post: HttpPost;
  /** Where a peer of ours says that it takes HTTP. */
  readonly urlOf: (peer: PeerId) => string | undefined;
  /** Sessions with peers of ours, for those that said over a link, where nobody could strip it, that they speak them. */
  readonly dialer: SessionDialer;
  readonly hasSessions: (peer: PeerId) => boolean;
}
export interface HttpCarrierOptions {
  /** The name older peers know us by. */
  readonly entityId: string;
  readonly secret?: string;
}

/** Letters by HTTP, and questions about files. */
export interface HttpCarrier extends Carrier {
  /** Asks a peer of ours that speaks sessions; undefined where none can be asked so. */
  files(to: PeerId): ((question: Uint8Array, signal: AbortSignal) => Promise<Uint8Array>) | undefined;
}

type Answered = Awaited<ReturnType<HttpPost>>;

/**
 * Letters by HTTP: to peers of ours where no live link leads, to older ones always. A peer of ours signs its answer; an older one has no message id,
 * so a lost answer can mean that it handles a message twice.
 */
export function createHttpCarrier(deps: HttpCarrierDeps, options: HttpCarrierOptions): HttpCarrier {
  const breakers = new Map<string, Breaker>();
  const answers = new ReplayWindow();
  const breakerOf = (url: string): Breaker => {
    const breaker = breakers.get(url) ?? createBreaker(deps.clock);
    breakers.delete(url);
    breakers.set(url, breaker);
    const oldest = breakers.size > httpLimits.countedPeersMax ? breakers.keys().next().value : undefined;
    if (oldest !== undefined) breakers.delete(oldest);
    return breaker;
  };
  /** Throws PEER_UNREACHABLE and what `post` throws; a failing server counts as a failure of the way. */
  const throughBreaker = (url: string, post: () => Promise<Answered>): Promise<Answered> =>
    breakerOf(url).run(async () => {
      const answered = await post();
      if (answered.status < 500) return answered;
      const code = codeIn(answered.body) ?? 'PEER_UNREACHABLE';
      throw new PeerAiError(code, `the peer's HTTP answers ${answered.status}`, { status: answered.status });
    });
  const send = (url: string, path: string, body: Uint8Array, signal: AbortSignal): Promise<Answered> =>
    throughBreaker(url, () => deps.post({ url: joinUrl(url, path), body, signal }));
  const guarded = (url: string): SessionAsk => {
    const ask = sessionAsk(deps.post, url);
    return (body, signal) => throughBreaker(url, () => ask(body, signal));
  };
  const toOurs = async (to: PeerId, url: string, letter: OutRow, signal: AbortSignal): Promise<DeliveryAnswer> => {
    if (deps.hasSessions(to)) return deps.dialer.carry(to, letter, guarded(url), signal);
    const { status, body } = await send(url, '/message', sealLetter(deps, to, letter, 'json'), signal);
    const answer = readAnswer({ ...deps, replay: answers }, to, letter.id, body);
    if (answer !== undefined) return answer;
    const code = codeIn(body);
    if (status === 200 || code === undefined) {
      throw new PeerAiError('PEER_UNREACHABLE', 'what answers at this address is not the peer', { status });
    }
    throw new PeerAiError(code, `the peer's HTTP says ${code}`, { status });
  };
  const toContact = async (contact: Contact, letter: OutRow, signal: AbortSignal): Promise<DeliveryAnswer> => {
    const { url, name, profile } = contact;
    if (url === undefined) throw new PeerAiError('PEER_UNREACHABLE', `there is no address to send to ${name}`);
    const body = sealFor(deps, options, contact, letter);
    const path = { 'pcp/1.0-six': '/message', 'pcp/0.1': '/v0.1/message', inbox: '/inbox' }[profile];
    return judgeOld(await send(url, path, body, signal));
  };
  return {
    path: 'http',
    reach: (to) =>
      deps.contacts.byPeer(to) !== undefined ? 'only' : deps.urlOf(to) === undefined ? undefined : 'also',
    files: (to) => {
      const url = deps.contacts.byPeer(to) === undefined && deps.hasSessions(to) ? deps.urlOf(to) : undefined;
      if (url === undefined) return undefined;
      return (question, signal) => deps.dialer.askFile(to, question, guarded(url), signal);
    },
    async carry(to, letter, signal) {
      const contact = deps.contacts.byPeer(to);
      const url = contact?.url ?? deps.urlOf(to);
      try {
        if (contact === undefined && url === undefined) throw new PeerAiError('PEER_UNREACHABLE', 'no HTTP address');
        const answer = await (contact === undefined
          ? toOurs(to, url ?? '', letter, signal)
          : toContact(contact, letter, signal));
        deps.counts.sent(to, answer.outcome === 'taken' ? undefined : (answer.code ?? 'REFUSED'));
        return answer;
      } catch (error) {
        if (!signal.aborted) deps.counts.sent(to, PeerAiError.is(error) ? error.code : 'INTERNAL');
        throw error;
      }
    },
  };
}

function sealFor(deps: HttpCarrierDeps, options: HttpCarrierOptions, contact: Contact, letter: OutRow): Uint8Array {
  const { entityId, secret } = options;
  const content = JSON.parse(letter.content) as unknown;
  if (contact.profile === 'inbox') {
    if (secret === undefined) throw new PeerAiError('KEY_REFUSED', 'there is no shared secret');
    return sealEnvelope(deps, { from: entityId, to: contact.name, secret, sentMs: letter.sentMs }, asLine(content));
  }
  const names = { senderId: entityId, recipientId: contact.name };
  const payload = asObject(content);
  if (contact.profile === 'pcp/0.1') return sealConcat(deps, { ...names, ...toOldest(letter.kind, payload) });
  // 0.3 is the one version of that line that asks for no session.
  return sealSix(deps, { ...names, kind: letter.kind, payload, version: '0.3' });
}

/** Older peers' payloads are objects. */
function asObject(content: unknown): Readonly<Record<string, unknown>> {
  if (typeof content === 'object' && content !== null && !Array.isArray(content)) return { ...content };
  return typeof content === 'string' ? { text: content } : { data: content };
}

function asLine(content: unknown): AssistantText {
  const { text, type, conversationId, userInitiated, ...rest } = asObject(content);
  const isLine = typeof text === 'string' && Object.keys(rest).length === 0;
  return {
    text: isLine ? text : JSON.stringify(content),
    type: type === 'bot' || type === 'handshake' ? type : 'user',
    userInitiated: userInitiated !== false && type !== 'bot',
    ...(typeof conversationId === 'string' ? { conversationId } : {}),
  };
}

/** An older peer's answer, which nobody signed: 200 is a yes, a refusal is final unless it says "later". */
function judgeOld({ status, body }: Answered): DeliveryAnswer {
  if (status === 200) return { outcome: 'taken', code: undefined };
  const code = codeIn(body) ?? 'REFUSED';
  const isFinal = code === 'REFUSED' || finalCodes.includes(code);
  if (isFinal && status >= 400 && status < 500 && status !== 429) return { outcome: 'refused', code };
  throw new PeerAiError(status === 429 ? 'RATE_LIMITED' : code, `the peer's HTTP answers ${status}`, { status });
}

/** Texts of the reference's `detail`, and pcp/0.1's own names, as our codes. */
const oldNames: Readonly<Record<string, string>> = {
  rate_limited: 'RATE_LIMITED',
  'Invalid signature': 'INVALID_SIGNATURE',
  'Missing signature': 'INVALID_SIGNATURE',
  'Invalid JSON': 'INVALID_FORMAT',
  'Unknown message format': 'UNKNOWN_KIND',
  'Decryption failed': 'DECRYPTION_FAILED',
  UNKNOWN_RECIPIENT: 'WRONG_RECIPIENT',
  EXPIRED_TIMESTAMP: 'CLOCK_SKEW',
  INVALID_TIMESTAMP: 'CLOCK_SKEW',
  INVALID_JSON: 'INVALID_FORMAT',
};

function codeIn(body: Uint8Array): string | undefined {
  let said: { readonly error?: unknown; readonly detail?: unknown };
  try {
    said = JSON.parse(fromUtf8(body)) as typeof said;
  } catch {
    return undefined;
  }
  const error = said?.error;
  const code = typeof error === 'object' && error !== null ? (error as { readonly code?: unknown }).code : error;
  const name = typeof code === 'string' ? code : said?.detail;
  if (typeof name !== 'string') return undefined;
  if (name.startsWith('Unknown sender')) return 'UNKNOWN_SENDER';
  if (name.startsWith('Unsupported version')) return 'INVALID_VERSION';
  if (name.startsWith('Missing required field')) return 'MISSING_FIELDS';
  return Object.hasOwn(oldNames, name) ? oldNames[name] : /^[A-Z][A-Z_]{2,63}$/u.test(name) ? name : undefined;
}
