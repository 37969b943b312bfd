import {
  callMethod,
  type Clock,
  type CryptoProvider,
  type Network,
  PeerAiError,
  type PeerId,
  streamMethod,
} from '@peerai/core-protocol';
import { type Capsule, capsuleText, openCapsule } from '@peerai/nn-engine/memory';
import type { FetchedView } from '../cache/cache.schema.ts';
import { limits } from '../limits.ts';
import type { Device, Devices } from '../pairing/devices.ts';
import type { MemoryRoom } from './memory-room.ts';
import type { CapsuleElsewhere, MemoryFoundView, MemoryHitView, MemorySearchRequest } from './memory.schema.ts';
import { memoryMethod, type MemoryQuestion, type MemoryReply, plainQuestion } from './memory-protocol.ts';
import { capsuleView, type Names } from './views.ts';

export interface OthersDeps extends Names {
  readonly network: Network;
  readonly clock: Clock;
  readonly crypto: CryptoProvider;
  readonly devices: Devices;
  readonly isOnline: (peer: PeerId) => boolean;
}

/** Answers a paired peer. Throws NOT_GRANTED without the right `memory`, and what the memory throws. */
export async function* answerOther(
  { devices }: Pick<OthersDeps, 'devices'>,
  room: MemoryRoom,
  peer: PeerId,
  question: MemoryQuestion,
  signal: AbortSignal,
): AsyncGenerator<MemoryReply, void, undefined> {
  const { kind, signed = new Uint8Array() } = question;
  const reply = { capsule: undefined, score: undefined, similarity: undefined, by: undefined };
  if (kind === 'forget') {
    yield { ...reply, outcome: (await room.honour(signed)) ? 'forgotten' : 'absent' };
    return;
  }
  const device = devices.get(peer);
  if (device === undefined || device.blocked || !device.allow.includes('memory'))
    throw new PeerAiError('NOT_GRANTED', 'this peer does not let you use its memory');
  if (kind === 'search') yield* room.searchFor(question, signal);
  else if (kind === 'share') yield { ...reply, outcome: await room.take(signed) };
  else {
    const capsule = await room.handTo(question.id ?? '');
    yield { ...reply, capsule, outcome: capsule === undefined ? 'absent' : 'hit' };
  }
}

/** This peer's own hits, those of another, or of all that are here; best first, each capsule once. */
export async function searchOthers(
  deps: OthersDeps,
  room: MemoryRoom,
  request: MemorySearchRequest,
  signal: AbortSignal,
): Promise<MemoryFoundView> {
  const { peer, everywhere = false, ...question } = request;
  const own = await room.search(question, signal);
  if (peer === undefined && !everywhere) return own;
  const devices =
    peer === undefined ? deps.devices.list().filter(({ blocked }) => !blocked) : [deps.devices.find(peer)];
  const answers = await Promise.all(
    devices.map((device) => askOne(deps, device, question, signal, peer !== undefined)),
  );
  const hits = [...(peer === undefined ? own.hits : []), ...answers.flatMap((answer) => answer.hits)];
  const best = new Map<string, MemoryHitView>();
  for (const hit of hits.toSorted((a, b) => b.score - a.score))
    if (!best.has(hit.capsule.id)) best.set(hit.capsule.id, hit);
  const mine = peer === undefined ? own : { ...own, searched: 0, leftOut: [], leftOutCount: 0 };
  return {
    ...mine,
    hits: [...best.values()].slice(0, question.limit ?? 10),
    asked: answers.map(({ hits: found, ...rest }) => ({ ...rest, hits: found.length })),
  };
}

async function askOne(
  deps: OthersDeps,
  { peer, name, addresses }: Device,
  { text, tags = [], fromMs, toMs, qualityMin, level, limit = 10 }: MemorySearchRequest,
  signal: AbortSignal,
  isNamed: boolean,
): Promise<{
  readonly peerId: PeerId;
  readonly name: string;
  readonly hits: MemoryHitView[];
  readonly problem?: string;
}> {
  const hits: MemoryHitView[] = [];
  if (!isNamed && !deps.isOnline(peer)) return { peerId: peer, name, hits, problem: 'it is offline' };
  let count = 0;
  const asked = Math.min(limit, limits.memorySharedHitsMax);
  const question = {
    ...plainQuestion,
    kind: 'search' as const,
    text,
    tags,
    fromMs,
    toMs,
    qualityMin,
    level,
    limit: asked,
  };
  try {
    for await (const reply of streamMethod(deps, peer, memoryMethod, question, { signal, addresses })) {
      if ((count += 1) > asked) throw new PeerAiError('LIMIT_EXCEEDED', 'more hits than were asked for');
      const hit = readHit(deps, peer, name, reply);
      // A program that does not know levels gives all of them.
      if (level === undefined || hit.capsule.level === level) hits.push(hit);
    }
    return { peerId: peer, name, hits };
  } catch (error) {
    if (signal.aborted || isNamed || !PeerAiError.is(error)) throw error;
    return { peerId: peer, name, hits, problem: error.message };
  }
}

/** The capsule is checked; how well it fits is the other's word. */
export function readHit(
  deps: Names & Pick<OthersDeps, 'crypto'>,
  peer: PeerId,
  peerName: string,
  { outcome, capsule: signed, score, similarity, by }: MemoryReply,
): MemoryHitView {
  if (outcome !== 'hit' || signed === undefined || !isPart(score) || !isPart(similarity))
    throw new PeerAiError('INVALID_FORMAT', 'a hit has a capsule and two numbers from 0 to 1');
  const capsule = openForeign(deps.crypto, signed);
  const kind = by ?? capsule.embedderKind;
  return { capsule: capsuleView(capsule, deps), score, similarity, kind, peerId: peer, peerName };
}

/** Checked whole. Throws what is wrong with it. */
function openForeign(crypto: CryptoProvider, signed: Uint8Array): Capsule {
  const capsule = openCapsule(crypto, signed);
  if (capsule.level === 'personal') throw new PeerAiError('INVALID_FORMAT', 'a personal capsule of another peer');
  return capsule;
}

/** One that is at a paired peer, as far as it lets this one have it; it is not kept. Throws DEVICE_UNKNOWN, NOT_FOUND, what the other says. */
export async function readAt(deps: OthersDeps, id: string, at: string, signal: AbortSignal): Promise<CapsuleElsewhere> {
  const { peer, name, addresses } = deps.devices.find(at);
  const question = { ...plainQuestion, kind: 'get' as const, id };
  const { outcome, capsule: signed } = await callMethod(deps, peer, memoryMethod, question, { signal, addresses });
  if (outcome !== 'hit' || signed === undefined)
    throw new PeerAiError('NOT_FOUND', `${name} has no such capsule, or not for this peer`);
  const capsule = openForeign(deps.crypto, signed);
  if (capsule.id !== id) throw new PeerAiError('INVALID_FORMAT', 'another capsule than the one that was asked for');
  return { v: 1, ...capsuleView(capsule, deps), text: capsuleText(capsule) ?? null, peerId: peer, peerName: name };
}

/**
 * A capsule by its id from the first of these devices that gives it, checked and kept. Throws NOT_FOUND when none does, MEMORY_FULL, ABORTED.
 *
 * @param devices - in the order in which they are asked.
 */
export async function fetchCapsule(
  deps: OthersDeps,
  room: MemoryRoom,
  id: string,
  devices: readonly (Device & { readonly roundTripMs: number | null })[],
  signal: AbortSignal,
): Promise<FetchedView> {
  const found = { v: 1 as const, sha256: id };
  const here = room.bytesOf(id);
  if (here !== undefined) return { ...found, bytes: here, wasHere: true, asked: [] };
  const asked: FetchedView['asked'] = [];
  for (const { peer, name, addresses, roundTripMs } of devices) {
    const question = { ...plainQuestion, kind: 'get' as const, id };
    try {
      const { capsule: signed } = await callMethod(deps, peer, memoryMethod, question, { signal, addresses });
      if (signed === undefined) throw new PeerAiError('NOT_FOUND', `${name} has no such capsule, or not for this peer`);
      if (openForeign(deps.crypto, signed).id !== id)
        throw new PeerAiError('HASH_MISMATCH', 'another capsule than the one that was asked for');
      await room.take(signed);
      asked.push({ name, roundTripMs, code: null });
      return { ...found, bytes: room.bytesOf(id) ?? 0, wasHere: false, asked };
    } catch (error) {
      if (signal.aborted || !PeerAiError.is(error) || PeerAiError.is(error, 'MEMORY_FULL')) throw error;
      asked.push({ name, roundTripMs, code: error.code, reason: error.message.slice(0, 200) });
    }
  }
  const told = asked.map(({ name, code }) => `${name}: ${code ?? ''}`).join(', ');
  throw new PeerAiError('NOT_FOUND', `nobody who is here gave it${told === '' ? '' : ` (${told})`}`, { asked });
}

const isPart = (value: number | undefined): value is number =>
  // Rounding may lift a perfect match a little.
  value !== undefined && value >= -1 && value <= 1.01;
