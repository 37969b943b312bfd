import {
  createIdentity,
  PeerAiError,
  type PeerId,
  ReplayWindow,
  sealWithSecret,
  toHex,
  utf8,
} from '@peerai/core-protocol';
import { nodeCrypto } from '@peerai/core-protocol/crypto-node';
import { ManualClock, MemoryStore, seededRandom } from '@peerai/core-protocol/testing';
import { threadMs } from '@peerai/config/thread-time';
import { describe, expect, it } from 'vitest';
import { readAnswer, signAnswer } from './answer.ts';
import { openContacts } from './contacts.ts';
import { createCounts } from './counts.ts';
import { openEnvelope } from './envelope.ts';
import { httpLimits } from './limits.ts';

const random = seededRandom(4);
const secret = 'a secret of both sides';
const code = (error: unknown): unknown => (PeerAiError.is(error) ? error.code : error);

describe('Bounds', () => {
  it('so many peers may be named and no more, each with what proves it', async () => {
    const deps = { store: new MemoryStore(), crypto: nodeCrypto };
    const named = Array.from({ length: httpLimits.contactsNamedMax }, (_, index) => ({
      name: `p${index}`,
      profile: 'inbox' as const,
    }));
    expect((await openContacts(deps, { named, isOpen: false, secret })).list()).toHaveLength(named.length);
    const one = { name: 'one more', profile: 'inbox' as const };
    await expect(openContacts(deps, { named: [...named, one], isOpen: false, secret })).rejects.toMatchObject({
      code: 'LIMIT_EXCEEDED',
    });
    await expect(openContacts(deps, { named: [one], isOpen: false })).rejects.toMatchObject({ code: 'KEY_REFUSED' });
  });

  it('so many peers are remembered and no more, also after a restart; a full disk remembers nobody', async () => {
    const store = new MemoryStore();
    const options = { named: [], isOpen: false, secret, secretUrl: 'http://peer.test' };
    const contacts = await openContacts({ store, crypto: nodeCrypto }, options);
    store.failNextCommit('STORE_FULL');
    expect(await contacts.named('p0').catch(code)).toBe('STORE_FULL');
    expect(contacts.byName('p0')).toBeUndefined();
    for (let count = 0; count < httpLimits.contactsRememberedMax; count += 1) await contacts.named(`p${count}`);
    expect(await contacts.named('one more').catch(code)).toBe('LIMIT_REACHED');
    const again = await openContacts({ store, crypto: nodeCrypto }, options);
    expect(again.list()).toHaveLength(httpLimits.contactsRememberedMax);
    expect(again.byPeer(contacts.byName('p7')?.peer ?? expect.unreachable())?.url).toBe('http://peer.test');
    expect(await again.named('one more').catch(code)).toBe('LIMIT_REACHED');
    expect((await openContacts({ store, crypto: nodeCrypto }, { named: [], isOpen: false })).list()).toEqual([]);
  });

  it('names of others and counts are kept for so many peers, the one heard of longest ago goes', async () => {
    const contacts = await openContacts({ store: new MemoryStore(), crypto: nodeCrypto }, { named: [], isOpen: false });
    for (let count = 0; count <= httpLimits.contactsMetMax; count += 1) contacts.meet(`p${count}` as PeerId, 'x');
    expect([contacts.nameOf('p0' as PeerId), contacts.nameOf('p1' as PeerId)]).toEqual([undefined, 'x']);
    const counts = createCounts(new ManualClock());
    for (let count = 0; count <= httpLimits.countedPeersMax; count += 1) counts.received(`p${count}` as PeerId);
    expect(counts.list()).toHaveLength(httpLimits.countedPeersMax);
    expect(counts.get('p0' as PeerId)).toBeUndefined();
  });

  it('an envelope holds so long a text, and names of so many characters', () => {
    const sized = (field: string, length: number): unknown => {
      const plain = { from: 'a', to: 'b', encrypted: 'x', conversation_id: null };
      const body = utf8(JSON.stringify({ ...plain, [field]: 'x'.repeat(length) }));
      try {
        openEnvelope(nodeCrypto, { self: 'b', secret }, body);
        return 'taken';
      } catch (error) {
        return PeerAiError.is(error) ? [error.code, error.details['field']] : error;
      }
    };
    const { bodyBytesMax, envelopeNameCharsMax } = httpLimits;
    for (const field of ['from', 'conversation_id', 'encrypted']) {
      const limit = field === 'encrypted' ? bodyBytesMax : envelopeNameCharsMax;
      expect(sized(field, limit)).not.toEqual(['INVALID_FORMAT', field]);
      expect(sized(field, limit + 1)).toEqual(['INVALID_FORMAT', field]);
    }
  });

  it('a peer is healthy until it was silent for so long, and not after a failure', async () => {
    const clock = new ManualClock();
    const counts = createCounts(clock);
    const peer = 'p' as PeerId;
    counts.received(peer);
    await clock.advance(httpLimits.heartbeatMissesMax * httpLimits.heartbeatMs);
    expect(counts.isHealthy(peer)).toBe(true);
    await clock.advance(1);
    expect(counts.isHealthy(peer)).toBe(false);
    counts.received(peer);
    counts.sent(peer, 'TIMEOUT');
    expect([counts.isHealthy(peer), counts.get(peer)?.lastError]).toEqual([false, 'TIMEOUT']);
  });
});

/** Ten thousand each; the slowest may take 50 ms on a quiet machine, and this test says no only at five times that. */
const mutationsEach = 10_000;
const slowestMsMax = 250;

describe('Ten thousand mutated inputs', () => {
  const clock = new ManualClock();
  const [ours, theirs] = [1, 2].map((fill) => createIdentity(nodeCrypto, new Uint8Array(32).fill(fill)));
  if (ours === undefined || theirs === undefined) throw new Error('two identities');
  const id = toHex(random.bytes(16));
  const signing = { identity: theirs, crypto: nodeCrypto, random, clock };
  const answer = utf8(
    JSON.stringify({ answer: signAnswer(signing, ours.peer, id, { outcome: 'taken', code: undefined }) }),
  );
  const encrypted = sealWithSecret({ crypto: nodeCrypto, random }, secret, 'hello there');
  const envelope = utf8(JSON.stringify({ from: 'a', to: 'b', type: 'user', encrypted, conversation_id: null }));
  const reading = { identity: ours, crypto: nodeCrypto, clock };
  const readers = {
    'an envelope': {
      valid: envelope,
      read: (bytes: Uint8Array) => openEnvelope(nodeCrypto, { self: 'b', secret }, bytes),
    },
    'a signed answer': {
      valid: answer,
      read: (bytes: Uint8Array) => readAnswer({ ...reading, replay: new ReplayWindow() }, theirs.peer, id, bytes),
    },
  };

  it.each(Object.entries(readers))('%s: nothing but PeerAiError, nothing slow', (_, { valid, read }) => {
    expect(read(valid)).toBeDefined();
    let slowestMs = 0;
    for (let turn = 0; turn < mutationsEach; turn += 1) {
      const [high = 0, low = 0, change = 0, count = 0] = random.bytes(4);
      const place = ((high << 8) | low) % valid.length;
      const piece = random.bytes(change % 6);
      const input = Uint8Array.from([...valid.subarray(0, place), ...piece, ...valid.subarray(place + (count % 6))]);
      const startMs = threadMs();
      try {
        read(input);
      } catch (error) {
        if (!PeerAiError.is(error)) throw error;
      }
      slowestMs = Math.max(slowestMs, threadMs() - startMs);
    }
    expect(slowestMs).toBeLessThan(slowestMsMax);
  });
});
