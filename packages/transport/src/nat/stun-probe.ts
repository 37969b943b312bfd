import { createSocket, type Socket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { networkInterfaces } from 'node:os';
import type { Clock, Logger, NatFacts, Random } from '@peerai/core-protocol';
import { reasonOf } from '../errors.ts';
import { limits } from './limits.ts';
import { type StunServer, serverText } from './servers.ts';
import { decodeStunAnswer, encodeStunQuestion, type StunAnswer } from './stun-message.ts';

export interface StunProbeDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** Asks STUN servers how the router in front of this machine treats UDP. */
export interface StunProbe {
  /** What the last round came to. */
  facts(): Omit<NatFacts, 'turnServers'>;
  /** The servers that answered in the last round, and all before the first: WebRTC asks one of them, and waits for a silent one. */
  usable(): readonly StunServer[];
  /** Asks all of them once. */
  round(signal: AbortSignal): Promise<void>;
  /** Asks again and again, until the signal. */
  run(signal: AbortSignal): Promise<void>;
}

/** @param servers - beyond `stunServersMax` they are not asked. */
export function createStunProbe(deps: StunProbeDeps, servers: readonly StunServer[]): StunProbe {
  const { clock, logger } = deps;
  const asked = servers.slice(0, limits.stunServersMax);
  let seen: readonly (StunAnswer | undefined)[] | undefined;
  let mapping: NatFacts['mapping'];

  async function round(signal: AbortSignal): Promise<void> {
    const socket = createSocket('udp4');
    try {
      const done = new AbortController();
      const until = clock.deadline(limits.stunMs, AbortSignal.any([signal, done.signal]));
      const { port } = await bound(socket);
      const answers = await askAll(socket, deps, asked, until);
      done.abort();
      if (signal.aborted) return;
      seen = answers;
      mapping = mappingOf(answers, port);
    } finally {
      socket.close();
    }
  }

  return {
    facts: () => ({
      isKnown: asked.length === 0 || seen !== undefined,
      stunServers: asked.map((server, index) => {
        const answer = seen?.[index];
        return { server: serverText(server), ...(answer === undefined ? {} : { seenAs: serverText(answer) }) };
      }),
      ...(mapping === undefined ? {} : { mapping }),
    }),
    usable: () => asked.filter((_, index) => seen === undefined || seen[index] !== undefined),
    round,
    async run(signal) {
      while (!signal.aborted) {
        await round(signal).catch((error: unknown) => logger.debug('stun-failed', { reason: reasonOf(error) }));
        const pauseMs = seen?.some((answer) => answer !== undefined) === true ? limits.stunEveryMs : limits.stunSoonMs;
        await clock.sleep(pauseMs, signal).catch(() => undefined);
      }
    },
  };
}

function bound(socket: Socket): Promise<{ readonly port: number }> {
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(0, () => resolve(socket.address()));
  });
}

/** From one socket, so that the answers can be compared. An answer counts with our transaction alone, whoever sent it. */
async function askAll(
  socket: Socket,
  { clock, random }: StunProbeDeps,
  servers: readonly StunServer[],
  until: AbortSignal,
): Promise<readonly (StunAnswer | undefined)[]> {
  const answers: (StunAnswer | undefined)[] = servers.map(() => undefined);
  const transactions = servers.map(() => random.bytes(12));
  const all = Promise.withResolvers<void>();
  socket.on('message', (bytes) => {
    if (bytes.length > limits.stunAnswerBytesMax) return;
    const answer = decodeStunAnswer(bytes);
    const index = transactions.findIndex((one) => answer !== undefined && isSame(one, answer.transaction));
    if (index >= 0) answers[index] ??= answer;
    if (answers.every((one) => one !== undefined)) all.resolve();
  });
  // A closed port here or there is no answer, and nothing else.
  socket.on('error', () => undefined);
  until.addEventListener('abort', () => all.resolve(), { once: true });
  const ask = async ({ host, port }: StunServer, index: number): Promise<void> => {
    const question = encodeStunQuestion(transactions[index] ?? new Uint8Array(12));
    const { address } = await lookup(host, 4);
    let passedMs = 0;
    for (const atMs of [0, ...limits.stunAgainMs]) {
      if (atMs > 0) await clock.sleep(atMs - passedMs, until);
      passedMs = atMs;
      if (until.aborted || answers[index] !== undefined) return;
      socket.send(question, port, address);
    }
  };
  for (const [index, server] of servers.entries()) void ask(server, index).catch(() => undefined);
  await all.promise;
  return answers;
}

const isSame = (one: Uint8Array, other: Uint8Array): boolean => one.every((byte, index) => byte === other[index]);

/** RFC 5780 4.3, with two servers instead of one that has two addresses. */
function mappingOf(answers: readonly (StunAnswer | undefined)[], ownPort: number): NatFacts['mapping'] {
  const seen = answers.filter((answer) => answer !== undefined);
  const own = Object.values(networkInterfaces()).flatMap((all) => (all ?? []).map(({ address }) => address));
  if (seen.some(({ host, port }) => own.includes(host) && port === ownPort)) return 'none';
  if (seen.length < 2) return undefined;
  return new Set(seen.map(serverText)).size === 1 ? 'same' : 'differs';
}
