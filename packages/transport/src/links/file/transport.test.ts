import { type Connection, type Transport, type Upgrader } from '@libp2p/interface';
import { multiaddr } from '@multiformats/multiaddr';
import { ManualClock, settle, silentLogger } from '@peerai/core-protocol/testing';
import { afterEach, expect, test } from 'vitest';
import type { Components } from '../../libp2p/components.ts';
import { until } from '../../testing/index.ts';
import type { SignalBoard } from './board.ts';
import { answerMeeting, offerMeeting } from './data-channel.ts';
import { limits } from './limits.ts';
import { type SignalAnswer, type SignalOffer, splitCandidates } from './note.ts';
import { fileAddress, fileTransport } from './transport.ts';

const other = '12D3KooWQYhTNQdmr3ArTeUHRYzFg94BKyTkoWBDWez9kSCVe2Xo';
const upgrader = {} as Upgrader;
const stopping = new Set<() => unknown>();
afterEach(async () => {
  for (const stop of stopping) await stop();
  stopping.clear();
});

/** The transport over a board that holds what the test puts there and counts what is done; no time passes but by the test. */
function scene() {
  const clock = new ManualClock();
  const counts = { appear: 0, offersTo: 0, answerTo: 0, putOffer: 0 };
  const offers: SignalOffer[] = [];
  const put = new Set<string>();
  const answers = new Map<string, SignalAnswer>();
  const board: SignalBoard = {
    prepare: async () => undefined,
    putOffer: async ({ id }) => {
      counts.putOffer += 1;
      put.add(id);
    },
    offersTo: async () => ((counts.offersTo += 1), offers),
    putAnswer: async (answer) => void answers.set(answer.for, answer),
    answerTo: async ({ id }) => ((counts.answerTo += 1), answers.get(id)),
    isUp: async (answer) => answers.has(answer.for),
    removeOffer: async ({ id }) => void put.delete(id),
    removeAnswer: async (answer) => void answers.delete(answer.for),
    appear: async () => void (counts.appear += 1),
    leave: async () => undefined,
    isHere: async () => true,
  };
  const components = {
    peerId: { toString: () => 'me' },
    logger: { forComponent: () => () => undefined },
  } as unknown as Components;
  const transport: Transport = fileTransport({ board, clock, logger: silentLogger })(components);
  const listen = async (): Promise<void> => {
    const listener = transport.createListener({ upgrader });
    stopping.add(() => listener.close());
    await listener.listen(multiaddr(fileAddress));
    await settle();
  };
  const dial = (): Promise<Connection> => {
    const ending = new AbortController();
    const dialling = transport.dial(multiaddr(`${fileAddress}/p2p/${other}`), { signal: ending.signal, upgrader });
    stopping.add(async () => {
      ending.abort(new Error('the test is over'));
      await clock.advance(limits.signalPollMs);
      await dialling.catch(() => undefined);
    });
    dialling.catch(() => undefined);
    return dialling;
  };
  return { clock, counts, offers, put, answers, listen, dial };
}
const soon = (): AbortSignal => AbortSignal.timeout(10_000);

test('a sign of life is written anew at its time, not before, and the folder is looked at as often as the limit says', async () => {
  const { clock, counts, listen } = scene();
  await listen();
  expect(counts).toMatchObject({ appear: 1, offersTo: 0 });
  await clock.advance(limits.signalPollMs - 1);
  expect(counts.offersTo).toBe(0);
  await clock.advance(1);
  expect(counts.offersTo).toBe(1);
  await clock.advance(limits.signalRenewMs - limits.signalPollMs - 1);
  expect(counts).toMatchObject({ appear: 1, offersTo: limits.signalRenewMs / limits.signalPollMs - 1 });
  await clock.advance(1);
  expect(counts).toMatchObject({ appear: 2, offersTo: limits.signalRenewMs / limits.signalPollMs });
});

test('an offer is written anew at its time, not before, and its answer is looked for more often', async () => {
  const { clock, counts, dial } = scene();
  void dial();
  await until(() => counts.answerTo === 1);
  expect(counts.putOffer).toBe(1);
  await clock.advance(limits.signalPollBusyMs - 1);
  expect(counts.answerTo).toBe(1);
  await clock.advance(1);
  expect(counts.answerTo).toBe(2);
  await clock.advance(limits.signalRenewMs - limits.signalPollBusyMs - 1);
  expect(counts.putOffer).toBe(1);
  await clock.advance(1);
  expect(counts.putOffer).toBe(2);
});

test('an answer that brings no channel is given up at its time, not before, and another offer is made', async () => {
  const { clock, counts, put, answers, dial } = scene();
  // Somebody answers another offer, and names no place where it is.
  const asked = await offerMeeting(soon());
  const answer = await answerMeeting({ id: 'x', from: 'me', writtenMs: 0, ...asked }, soon());
  for (const { connection } of [asked, answer]) connection.close();
  void dial();
  await until(() => counts.answerTo === 1);
  const [first = ''] = put;
  const { sdp } = splitCandidates(answer.sdp);
  answers.set(first, { for: first, from: other, writtenMs: clock.nowMs(), sdp });
  await clock.advance(limits.signalPollBusyMs);
  await until(() => !answers.has(first));
  // After a pause the next one begins.
  await clock.advance(limits.signalConnectMs + limits.signalPollBusyMs - 1);
  expect([...put]).toEqual([first]);
  await clock.advance(1);
  expect(put.has(first)).toBe(false);
  await until(() => put.size === 1);
});

test('an offer nobody stands behind has its answer as long as the limit says', async () => {
  const { clock, offers, answers, listen } = scene();
  const { connection, sdp, candidates } = await offerMeeting(soon());
  connection.close();
  offers.push({ id: 'offer', from: other, writtenMs: clock.nowMs(), sdp, candidates });
  await listen();
  await clock.advance(limits.signalPollMs);
  await until(() => answers.size === 1);
  await clock.advance(limits.signalAnswerMs - 1);
  expect(answers.size).toBe(1);
  await clock.advance(1);
  expect(answers.size).toBe(0);
});
