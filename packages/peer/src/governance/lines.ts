import {
  bounded,
  type Channel,
  type Clock,
  fromHex,
  type Network,
  PeerAiError,
  type PeerId,
  type Protocol,
  toHex,
} from '@peerai/core-protocol';
import type { AgreementLink } from '@peerai/ledger/agreement';
import { lineFrame } from './governance-protocol.ts';
import { governanceRoomLimits as limits } from './limits.ts';

export interface LinesDeps {
  readonly network: Pick<Network, 'open' | 'self'>;
  readonly clock: Clock;
  /** Ends all of it. */
  readonly stopping: AbortSignal;
}
/**
 * Channels between members that are paired; they work over a relay, and what was sent arrives or is known to be lost. Who is paired with some of them
 * alone hears the others through those, as the agreement hands on what it checked, or over the group's topic (`groupLink`).
 */
export interface Lines {
  /** @param group - 32 bytes, hex. */
  link(group: string): AgreementLink;
  /** A member's channel to this peer, until it ends. */
  hear(channel: Channel): Promise<void>;
  /** It is here: what waits goes now. */
  met(peer: PeerId): void;
  /** This peer's channel to it is up. */
  reaches(peer: PeerId): boolean;
}

interface Line {
  readonly waiting: Uint8Array[];
  isOpen: boolean;
  channel: Channel | undefined;
  failures: number;
  retryAtMs: number;
}
type Handler = (from: PeerId, bytes: Uint8Array) => void;

export function createLines({ network, clock, stopping }: LinesDeps, protocol: Protocol): Lines {
  const lines = new Map<PeerId, Line>();
  const handlers = new Map<string, Set<Handler>>();
  const lineTo = (peer: PeerId): Line => {
    const known = lines.get(peer);
    if (known !== undefined) return known;
    const line = { waiting: [], isOpen: false, channel: undefined, failures: 0, retryAtMs: 0 };
    lines.set(peer, line);
    return line;
  };
  /** Sends all that waits, over one channel that stays for what comes next. */
  const pump = async (peer: PeerId, line: Line): Promise<void> => {
    if (line.isOpen || stopping.aborted || clock.elapsedMs() < line.retryAtMs) return;
    line.isOpen = true;
    let channel: Channel | undefined;
    try {
      channel = await bounded(clock, limits.lineOpenMs, stopping, (signal) => network.open(peer, protocol, { signal }));
      line.channel = channel;
      line.failures = 0;
      await sendAll(channel, line, stopping);
    } catch (error) {
      if (!PeerAiError.is(error)) throw error;
      line.waiting.length = 0;
      line.failures += 1;
      line.retryAtMs =
        clock.elapsedMs() + Math.min(limits.lineRetryMsMax, limits.lineRetryMs * 2 ** (line.failures - 1));
    } finally {
      line.isOpen = false;
      line.channel = undefined;
      await channel?.close().catch(() => undefined);
    }
  };
  const wakes = new WeakMap<Line, () => void>();
  const sendAll = async (channel: Channel, line: Line, signal: AbortSignal): Promise<void> => {
    for (;;) {
      if (channel.signal.aborted || signal.aborted) return;
      const next = line.waiting.shift();
      if (next !== undefined) await channel.send(next);
      else await nextOf(line, [channel.signal, signal]);
    }
  };
  const nextOf = (line: Line, signals: readonly AbortSignal[]): Promise<void> =>
    new Promise<void>((resolve) => {
      const done = (): void => {
        wakes.delete(line);
        for (const signal of signals) signal.removeEventListener('abort', done);
        resolve();
      };
      wakes.set(line, done);
      for (const signal of signals) signal.addEventListener('abort', done, { once: true });
    });
  const push = (peer: PeerId, bytes: Uint8Array): void => {
    if (peer === network.self) return;
    const line = lineTo(peer);
    line.waiting.push(bytes);
    if (line.waiting.length > limits.lineWaitingMax) line.waiting.shift();
    wakes.get(line)?.();
    void pump(peer, line).catch(() => undefined);
  };
  return {
    link(group) {
      const framed = (bytes: Uint8Array): Uint8Array => lineFrame.encode({ group: fromHex(group), message: bytes });
      return {
        broadcast(to, bytes) {
          const one = framed(bytes);
          for (const peer of to) push(peer, one);
        },
        send: (to, bytes) => push(to, framed(bytes)),
        receive(handler) {
          const all = handlers.get(group) ?? new Set();
          handlers.set(group, all.add(handler));
          return () => all.delete(handler);
        },
      };
    },
    async hear(channel) {
      for await (const bytes of channel) {
        const { group, message } = lineFrame.decode(bytes);
        for (const handler of handlers.get(toHex(group)) ?? []) handler(channel.link.peer, message);
      }
    },
    reaches: (peer) => lines.get(peer)?.channel?.signal.aborted === false,
    met(peer) {
      const line = lines.get(peer);
      if (line === undefined) return;
      line.failures = 0;
      line.retryAtMs = 0;
      if (line.waiting.length > 0) void pump(peer, line).catch(() => undefined);
    },
  };
}
