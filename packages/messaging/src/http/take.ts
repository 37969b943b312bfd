import {
  type Clock,
  type CryptoProvider,
  type Identity,
  PeerAiError,
  type PeerId,
  peerIdFromPublicKey,
  publicKeyFromPeerId,
  type Random,
  type ReplayWindow,
} from '@peerai/core-protocol';
import {
  negotiateVersion,
  openPcp,
  pcpErrorReply,
  pcpLimits,
  type PcpClaim,
  type PcpOpened,
  type PcpPayload,
  type PcpProfile,
  pcpReceivedReply,
  type PcpReply,
  readPcpPayload,
  sealConcat,
} from '@peerai/core-protocol/pcp';
import type { Inbox } from '../inbox/inbox.ts';
import { type Letter, letterOf } from '../letter.ts';
import type { DeliveryAnswer } from '../protocol.ts';
import { signAnswer } from './answer.ts';
import type { Buckets } from './buckets.ts';
import type { Contacts } from './contacts.ts';
import type { Counts } from './counts.ts';
import { type Discover, discovered } from './discovery.ts';
import { type OpenedEnvelope, openEnvelope } from './envelope.ts';
import { httpLimits } from './limits.ts';
import { fromOlder } from './old-kinds.ts';
import { secretPeer } from './secret-peer.ts';

export interface TakeDeps {
  readonly identity: Identity;
  readonly crypto: CryptoProvider;
  readonly random: Random;
  readonly clock: Clock;
  readonly replay: ReplayWindow;
  readonly buckets: Buckets;
  readonly contacts: Contacts;
  readonly counts: Counts;
  readonly receive: Inbox['receive'];
  /** Takes a chunk of a proven sender in, with what to add to the answer. Absent where no files are kept: then chunks are of a kind that is not handled. */
  readonly takeChunk?: (opened: PcpOpened) => Promise<Readonly<Record<string, unknown>>>;
  /** What this peer can do, for a proven older peer that asks. Absent where nobody says: then the question is of a kind that is not handled. */
  readonly capabilities?: (
    asker: PeerId,
    queryId: string | undefined,
  ) => Promise<PcpPayload<'capability_response'>['capabilities']>;
  /** Absent where nobody is looked for: then discovery messages are of a kind that is not handled here. */
  readonly discover?: Discover;
  /** How the owner stands to a peer of ours. */
  readonly standing: (peer: PeerId) => 'paired' | 'blocked' | 'stranger';
}
export interface TakeOptions {
  /** The name older peers know us by. */
  readonly entityId: string;
  readonly profiles: readonly PcpProfile[];
  /** Strangers are believed on first use. */
  readonly isOpen: boolean;
  readonly secret?: string;
}

/** Kinds that are noted and answered here: they change nothing, so they leave no mark on the disk. A handshake makes its sender known. */
const lightKinds = ['ping', 'heartbeat', 'status', 'status_report', 'handshake'];

/** Kinds that are answered at this face, whatever the inbox handles. */
export function faceKinds({ discover, takeChunk, capabilities }: Partial<TakeDeps>): readonly string[] {
  return [
    ...lightKinds,
    'error',
    ...(discover === undefined ? [] : ['discovery']),
    ...(takeChunk === undefined ? [] : ['chunk']),
    ...(capabilities === undefined ? [] : ['capability_query']),
  ];
}
/** The answer to `POST /message`, from the body's bytes. Never throws: what is wrong is the answer. */
export async function takeMessage(
  deps: TakeDeps,
  options: TakeOptions,
  body: Uint8Array,
  signal: AbortSignal,
): Promise<PcpReply> {
  let opened: PcpOpened | undefined;
  try {
    const self = { peer: deps.identity.peer, entityId: options.entityId };
    const keyOf = (claim: PcpClaim): Uint8Array | undefined => {
      const key = deps.contacts.keyOf(claim);
      // Before the signature is looked at: what a flood costs others is the work until it is refused.
      if (key !== undefined) deps.buckets.refuseSpent(peerIdFromPublicKey(key), claim.kind);
      return key;
    };
    opened = openPcp({ ...deps, keyOf }, body, {
      self,
      profiles: options.profiles,
    });
    await admit(deps, options, opened);
    deps.buckets.take(opened.sender, opened.kind);
    deps.counts.received(opened.sender);
    return await handle(deps, options, opened, signal);
  } catch (error) {
    deps.counts.rejectedOne();
    return pcpErrorReply(error, opened?.profile ?? profileOf(options));
  }
}

/** Whose shape a refusal has before it is known who asked: the widest of those that are served here. */
const profileOf = ({ profiles }: TakeOptions): PcpProfile =>
  profiles.length === 1 && profiles[0] !== undefined ? profiles[0] : 'pcp/1.0-six';

/** Throws UNKNOWN_SENDER, REFUSED. Whose key was pinned or introduced is known; of ours, those the owner paired with. */
async function admit(deps: TakeDeps, options: TakeOptions, opened: PcpOpened): Promise<void> {
  const { profile, sender, senderId, kind } = opened;
  if (profile === 'peerai/1') return admitOwn(deps, options, sender);
  if (deps.standing(sender) === 'blocked') throw blocked();
  if (kind !== 'handshake' || !options.isOpen) return;
  await deps.contacts.believe({ profile, senderId }, publicKeyFromPeerId(sender));
}

const blocked = (): PeerAiError => new PeerAiError('REFUSED', 'this peer is blocked here');

/** Lets in a peer of ours whose proof was seen. Throws UNKNOWN_SENDER, REFUSED. */
export function admitOwn(
  { standing, contacts }: Pick<TakeDeps, 'standing' | 'contacts'>,
  { isOpen }: Pick<TakeOptions, 'isOpen'>,
  sender: PeerId,
): void {
  const stands = standing(sender);
  if (stands === 'blocked') throw blocked();
  if (stands === 'paired') return;
  if (!isOpen) throw new PeerAiError('UNKNOWN_SENDER', `Unknown sender: ${sender}`, { sender });
  contacts.meet(sender, `stranger-${sender.slice(-6)}`);
}

async function handle(deps: TakeDeps, options: TakeOptions, opened: PcpOpened, signal: AbortSignal): Promise<PcpReply> {
  const { profile, senderId, kind } = opened;
  if (lightKinds.includes(kind)) {
    if (profile === 'pcp/0.1' && kind === 'ping') return concatReply(deps, options, senderId, 'pong', {});
    const reply = pcpReceivedReply(opened, options);
    const offered = kind === 'handshake' ? versionsOf(opened.payload) : undefined;
    if (offered === undefined) return reply;
    return { ...reply, body: { ...reply.body, selected_version: negotiateVersion(offered, options.profiles) } };
  }
  if (kind === 'error' && profile !== 'peerai/1') {
    const { error_code: code } = readPcpPayload('error', opened.payload).payload as PcpPayload<'error'>;
    deps.counts.told(opened.sender, code);
    return pcpReceivedReply(opened, options);
  }
  const { discover, capabilities } = deps;
  if (kind === 'capability_query' && profile !== 'peerai/1' && capabilities !== undefined) {
    const { query_id: queryId } = readPcpPayload(kind, opened.payload).payload as PcpPayload<'capability_query'>;
    const said = { capabilities: await capabilities(opened.sender, queryId) };
    const query = queryId === undefined ? {} : { query_id: queryId };
    if (profile === 'pcp/0.1')
      return concatReply(deps, options, senderId, 'capability_response', { ...said, ...query });
    const reply = pcpReceivedReply(opened, options);
    return { ...reply, body: { ...reply.body, ...said } };
  }
  if (kind === 'discovery' && discover !== undefined) {
    const peers = await discovered({ ...deps, discover }, opened, signal);
    if (profile === 'pcp/0.1') return concatReply(deps, options, senderId, kind, { peers });
    const reply = pcpReceivedReply(opened, options);
    return { ...reply, body: { ...reply.body, peers } };
  }
  if (kind === 'chunk' && deps.takeChunk !== undefined) {
    const reply = pcpReceivedReply(opened, options);
    return { ...reply, body: { ...reply.body, ...(await deps.takeChunk(opened)) } };
  }
  const letter = asLetter(deps, opened);
  const { isRepeated, ...answer } = await deps.receive(letter, signal);
  if (profile === 'peerai/1') return signedReply(deps, options, { opened, letter, answer });
  if (isRepeated) throw new PeerAiError('REPLAY_DETECTED', 'this message has been here already');
  if (answer.outcome === 'refused') throw refusalOf(answer);
  return pcpReceivedReply(opened, options);
}

/** The versions that a handshake offers, if it does. Throws INVALID_FORMAT. */
function versionsOf(payload: unknown): readonly string[] | undefined {
  const { supported_versions: offered } = payload as { readonly supported_versions?: unknown };
  if (offered === undefined || offered === null) return undefined;
  const isList = Array.isArray(offered) && offered.length <= pcpLimits.versionsMax;
  if (isList && offered.every((one) => typeof one === 'string')) return offered;
  throw new PeerAiError('INVALID_FORMAT', `supported_versions are at most ${pcpLimits.versionsMax} texts`);
}

/** The oldest profile answers with a message of its own. */
function concatReply(
  deps: TakeDeps,
  { entityId: senderId }: TakeOptions,
  recipientId: string,
  kind: string,
  payload: Readonly<Record<string, unknown>>,
): PcpReply {
  const sealed = sealConcat(deps, { kind, senderId, recipientId, payload });
  return { status: 200, body: JSON.parse(new TextDecoder().decode(sealed)) as PcpReply['body'] };
}

/** What ours send has the id and the expiry inside; of the others, every message is its own. */
function asLetter({ clock }: TakeDeps, opened: PcpOpened): Letter {
  const { profile, id, sender, kind, payload, sentMs, proven } = opened;
  const isOurs = profile === 'peerai/1' && typeof payload === 'object' && payload !== null && 'expiresMs' in payload;
  if (isOurs) return letterOf(clock, opened);
  const said = profile === 'peerai/1' ? { kind, payload } : fromOlder({ kind, payload });
  return { id, sender, ...said, sentMs, proven, expiresMs: sentMs + httpLimits.oldFormLifeMs };
}

function signedReply(
  deps: TakeDeps,
  options: TakeOptions,
  { opened, letter, answer }: { readonly opened: PcpOpened; readonly letter: Letter; readonly answer: DeliveryAnswer },
): PcpReply {
  const reply =
    answer.outcome === 'taken' ? pcpReceivedReply(opened, options) : pcpErrorReply(refusalOf(answer), 'peerai/1');
  return { ...reply, body: { ...reply.body, answer: signAnswer(deps, opened.sender, letter.id, answer) } };
}

const refusalOf = ({ code = 'REFUSED' }: DeliveryAnswer): PeerAiError =>
  new PeerAiError(
    code,
    code === 'UNKNOWN_KIND' ? 'messages of this kind are not handled here' : 'the message was refused',
  );

/** The answer to `POST /inbox`, from the body's bytes. Never throws. */
export async function takeEnvelope(
  deps: TakeDeps,
  options: TakeOptions,
  body: Uint8Array,
  signal: AbortSignal,
): Promise<PcpReply> {
  try {
    const { secret, entityId } = options;
    if (secret === undefined) throw new PeerAiError('REFUSED', 'there is no shared secret here');
    const envelope = openEnvelope(deps.crypto, { self: entityId, secret }, body);
    // Who has the secret is proven, the name is not: limits and marks are kept for all who have it.
    const owner = secretPeer(deps.crypto, secret, '');
    deps.buckets.take(owner, 'inbox');
    const letter = envelopeLetter(deps, secret, envelope);
    deps.counts.received(letter.sender);
    deps.contacts.meet(letter.sender, envelope.from);
    if (envelope.type === 'handshake') return { status: 200, body: { status: 'ok' } };
    const { isRepeated, ...answer } = await deps.receive(letter, signal, owner);
    if (isRepeated) throw new PeerAiError('REPLAY_DETECTED', 'this message has been here already');
    if (answer.outcome === 'refused') throw refusalOf(answer);
    return { status: 200, body: { status: 'ok' } };
  } catch (error) {
    deps.counts.rejectedOne();
    return pcpErrorReply(error, 'pcp/1.0-six');
  }
}

function envelopeLetter({ crypto, clock }: TakeDeps, secret: string, envelope: OpenedEnvelope): Letter {
  const { from, id, text, type, userInitiated, conversationId } = envelope;
  const nowMs = clock.nowMs();
  return {
    id,
    sender: secretPeer(crypto, secret, from),
    kind: 'text',
    payload: { text, type, userInitiated, ...(conversationId === undefined ? {} : { conversationId }), from },
    sentMs: nowMs,
    expiresMs: nowMs + httpLimits.envelopeLifeMs,
    proven: new Set(['payload']),
  };
}
