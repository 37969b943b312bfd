import {
  type Channel,
  type Clock,
  type Directory,
  limits as coreLimits,
  type Network,
  type PeerId,
  type Protocol,
  wire,
} from '@peerai/core-protocol';
import { limits } from '../limits.ts';
import type { RunningTopics } from '../topics/topics.ts';
import type { FarDirectory } from './far.ts';
import type { Intake } from './intake.ts';
import { answerInTime, askForRecords } from './record-channel.ts';
import type { KnownRecord, RecordBook } from './record-book.ts';

export const recordsTopic = 'records';

/** One question, then records until the end. The question may bring the asker's own record along. */
export const directoryProtocol: Protocol = {
  id: '/peerai/directory/1',
  access: 'anyone',
  framing: 'messages',
  messageBytesMax: coreLimits.recordBytesMax + 1_024,
  channelsPerPeerMax: 8,
};
const question = wire.message({ what: wire.string(1), own: wire.optional(wire.bytes(2)) });

export interface DirectoryDeps {
  readonly network: Network;
  readonly topics: RunningTopics;
  readonly clock: Clock;
  /** What is known; `open` looks up addresses in the same book. */
  readonly book: RecordBook;
  readonly intake: Intake;
  /** Peers with a live link, who can be asked. */
  readonly connected: () => readonly PeerId[];
  /** The DHT, where there is one. */
  readonly far?: FarDirectory | undefined;
}
export interface RunningDirectory extends Directory {
  /** Listens for records and answers questions until the signal. */
  run(signal: AbortSignal): void;
  /** Tells a peer we have just met our own record; never throws. */
  introduce(peer: PeerId): Promise<void>;
  /** Takes a record from a neighbour, within its share; `undefined` where it is not new, not valid, or too much. */
  learn(bytes: Uint8Array, source: PeerId): KnownRecord | undefined;
}

/** Signed records by gossip, by asking the peers we are connected to, and through the DHT. */
export function createDirectory(deps: DirectoryDeps): RunningDirectory {
  const { network, topics, clock, book } = deps;
  let own: Uint8Array | undefined;

  /** A record from a neighbour; what the book holds already costs it nothing. */
  function learn(bytes: Uint8Array, source: PeerId, author?: PeerId): KnownRecord | undefined {
    if (book.holds(bytes) || !deps.intake.take(source)) return undefined;
    return book.put(bytes, source, author);
  }

  async function reply(channel: Channel): Promise<void> {
    for await (const message of channel) {
      const { what, own: theirs } = question.decode(message);
      const { peer } = channel.link;
      if (theirs !== undefined) learn(theirs, peer, peer);
      if (what === '' || what.length > limits.findTextCharsMax) return;
      const found = book.match(what, (topic) => topics.subscribers(topic)).slice(0, limits.recordsPerFindMax);
      for (const { bytes } of found) await channel.send(bytes);
      return;
    }
  }

  function ask(peer: PeerId, what: string, signal: AbortSignal, found: (bytes: Uint8Array) => void): Promise<void> {
    const asked = { protocol: directoryProtocol, question: question.encode({ what, own }), signal, found };
    return askForRecords(network, peer, { ...asked, recordsMax: limits.recordsPerFindMax });
  }

  /** A peer that cannot be asked has nothing to tell. */
  async function askQuietly(...question: Parameters<typeof ask>): Promise<void> {
    try {
      await ask(...question);
    } catch {
      // the others are asked all the same
    }
  }

  return {
    async announce(record) {
      const { record: checked } = book.check(record);
      if (checked.peer !== network.self) return;
      own = record;
      book.put(record, network.self);
      deps.far?.announce(record, checked);
      await topics.publish(recordsTopic, record);
      const peers = deps.connected().slice(0, limits.findPeersMax);
      await Promise.all(peers.map((peer) => this.introduce(peer)));
    },
    async *find(what, signal) {
      const given = new Map<string, number>();
      const fresh = (one: KnownRecord): boolean => {
        if ((given.get(one.record.peer) ?? -1) >= one.record.sequence) return false;
        given.set(one.record.peer, one.record.sequence);
        return true;
      };
      const match = (): KnownRecord[] => book.match(what, (topic) => topics.subscribers(topic));
      for (const one of match()) if (fresh(one)) yield one.bytes;
      const stopping = new AbortController();
      const peers = deps.connected().slice(0, limits.findPeersMax);
      const bounded = clock.deadline(limits.findTimeoutMs, AbortSignal.any([signal, stopping.signal]));
      const asking = new Set<string>();
      let wake = Promise.withResolvers<void>();
      const heard = (bytes: Uint8Array, source: PeerId): void => {
        if (learn(bytes, source) !== undefined) wake.resolve();
      };
      const follow = async (name: string, work: Promise<void>): Promise<void> => {
        asking.add(name);
        await work;
        asking.delete(name);
        wake.resolve();
      };
      for (const peer of peers)
        void follow(
          peer,
          askQuietly(peer, what, bounded, (bytes) => heard(bytes, peer)),
        );
      const whole = AbortSignal.any([signal, stopping.signal]);
      const far = deps.far?.find(what, ({ bytes, source }) => heard(bytes, source), whole);
      if (far !== undefined) void follow('dht', far);
      try {
        while (asking.size > 0 && !signal.aborted && given.size < limits.recordsPerFindMax) {
          await wake.promise;
          wake = Promise.withResolvers<void>();
          for (const one of match()) if (fresh(one)) yield one.bytes;
        }
      } finally {
        stopping.abort();
      }
    },
    learn,
    async introduce(peer) {
      if (own === undefined) return;
      await askQuietly(peer, '', clock.deadline(limits.findTimeoutMs), () => undefined);
    },
    run(signal) {
      const disposable = network.answer(directoryProtocol, (channel) => answerInTime(clock, channel, reply));
      signal.addEventListener('abort', () => disposable[Symbol.dispose](), { once: true });
      const heard = topics.subscribe(
        recordsTopic,
        (message, _from, via) => (learn(message, via) === undefined ? 'ignore' : 'accept'),
        signal,
      );
      void drain(heard);
    },
  };
}

async function drain(messages: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const message of messages) void message;
}
