import type { PeerId } from '@peerai/core-protocol';
import { afterEach, expect, test } from 'vitest';
import { createGroup, never, payload } from '../../test/members.ts';
import { type Agreement, type AgreementLink, agreementLimits as limits } from './index.ts';
import { decodeMessage, encodeMessage } from './message.ts';

const running: Agreement[] = [];
afterEach(async () => {
  for (const one of running.splice(0)) await one.stop();
});
const nothing = new Uint8Array();
const at = (height: number) => encodeMessage({ where: { height, view: 1, missing: 1, wants: nothing } });

test('as many messages wait to be read as the limit allows; one more is dropped, and the next is read when there is room again', async () => {
  const group = createGroup(4);
  const [self, other] = group.identities;
  if (self === undefined || other === undefined) throw new Error('nobody');
  let tell: Parameters<AgreementLink['receive']>[0] = () => undefined;
  const link: AgreementLink = {
    send: () => undefined,
    broadcast: () => undefined,
    receive: (handler) => {
      tell = handler;
      return () => undefined;
    },
  };
  const { agreement } = await group.join(self, { link });
  running.push(agreement);
  await agreement.start();
  const flood = (count: number): void => {
    for (let sent = 0; sent < count; sent += 1) tell(self.peer, Uint8Array.of(255));
  };
  const isHeard = async (): Promise<boolean> => {
    await group.clock.advance(1);
    return agreement.status().heard.has(other.peer);
  };
  flood(limits.inboxMessagesMax);
  tell(other.peer, at(0));
  expect(await isHeard()).toBe(false);
  flood(limits.inboxMessagesMax - 1);
  tell(other.peer, at(0));
  expect(await isHeard()).toBe(true);
});

test('one that asks the same again is answered when the time is over, not before; and gets as many blocks as fit one answer', async () => {
  const group = createGroup(4);
  const members = await group.all();
  running.push(...members.map(({ agreement }) => agreement));
  const [one, two] = members;
  if (one === undefined || two === undefined) throw new Error('nobody');
  const body = new Uint8Array(limits.entryBodyBytesMax);
  const sizes: number[] = [];
  // Each block has a quarter of what an answer may have, and some more around it.
  for (let block = 0; block < 5; block += 1) {
    const payloads = Array.from({ length: 4 }, () => ({ kind: 'note', body }));
    await group.clock.until(one.agreement.proposeAll(payloads, never));
  }
  for await (const bytes of one.agreement.blocks(1, 6)) sizes.push(bytes.length);
  for (const { agreement } of members.slice(1)) await agreement.stop();

  const answers: number[][] = [];
  const tap = (from: PeerId, to: PeerId, bytes: Uint8Array): boolean => {
    const { blocks } = decodeMessage(bytes);
    if (from === one.identity.peer && to === two.identity.peer && blocks.length > 0)
      answers.push(blocks.map(({ length }) => length));
    return false;
  };
  group.loses = tap;
  const link = group.link(two.identity.peer);
  const ask = async (height: number): Promise<void> => {
    link.send(one.identity.peer, at(height));
    await group.clock.advance(10);
  };
  await group.clock.advance(limits.answerMs);
  await ask(0);
  await group.clock.advance(limits.answerMs - 11);
  await ask(0);
  expect(answers).toHaveLength(1);
  await group.clock.advance(1);
  await ask(0);
  expect(answers).toHaveLength(2);
  // It moved on: answered at once.
  await ask(3);
  expect(answers[2]).toEqual(sizes.slice(3));

  const sum = (all: readonly number[]): number => all.reduce((total, size) => total + size, 0);
  const fitting = sizes.findIndex((_, place) => sum(sizes.slice(0, place + 1)) > limits.blocksBytesMax);
  expect(fitting).toBeGreaterThan(1);
  expect(answers[0]).toEqual(sizes.slice(0, fitting));
});

test('views of a height that is not decided get longer, up to the longest a view waits and no further', async () => {
  const group = createGroup(4, { viewTimeoutMs: 20_000, resendMs: 5_000 });
  const members = await group.all();
  running.push(...members.map(({ agreement }) => agreement));
  // No leader gets its proposal to anybody.
  group.loses = (_from, _to, bytes) => {
    const { proposal, draft } = decodeMessage(bytes);
    return proposal !== undefined || draft !== undefined;
  };
  const [one] = members;
  if (one === undefined) throw new Error('nobody');
  const ending = new AbortController();
  void one.agreement.propose(payload('x'), ending.signal).catch(() => undefined);
  const beganMs: number[] = [];
  for (let step = 0; step < 4_000 && beganMs.length < 7; step += 1) {
    if (one.agreement.status().view > beganMs.length) beganMs.push(group.clock.elapsedMs());
    await group.clock.advance(100);
  }
  ending.abort();
  const tookMs = beganMs.slice(1).map((ms, place) => Math.round((ms - (beganMs[place] ?? 0)) / 1_000) * 1_000);
  expect(tookMs).toEqual([20_000, 30_000, 45_000, 60_000, 60_000, 60_000]);
  expect(limits.viewTimeoutMsMax).toBe(60_000);
});
