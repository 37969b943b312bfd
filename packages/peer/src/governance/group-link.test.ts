import type { PeerId } from '@peerai/core-protocol';
import { wire } from '@peerai/core-protocol';
import { expect, test } from 'vitest';
import { groupLink } from './group-link.ts';
import type { GroupTopic, GroupTopicOptions } from './group-topic.ts';

const where = wire.message({
  where: wire.nested(
    6,
    wire.message({ height: wire.uint53(1), view: wire.uint32(2), missing: wire.uint32(3), wants: wire.bytes(4) }),
  ),
});
const stands = where.encode({ where: { height: 1, view: 1, missing: 1, wants: new Uint8Array() } });
const vote = wire.message({ votes: wire.repeated(wire.bytes(4), 1) }).encode({ votes: [Uint8Array.of(1)] });
const [linked, far, away] = ['linked', 'far', 'away'] as [PeerId, PeerId, PeerId];

/** A member with a channel to `linked`, that hears `far` over its topic. */
function member(reached = [linked], heard = [far]) {
  const sent: [PeerId, Uint8Array][] = [];
  const said: [Uint8Array, readonly PeerId[]][] = [];
  const got: Uint8Array[] = [];
  let fromLine: (from: PeerId, bytes: Uint8Array) => void = () => undefined;
  let joined: Pick<GroupTopicOptions, 'hear' | 'signal'> | undefined;
  const lines = {
    reaches: (peer: PeerId) => reached.includes(peer),
    link: () => ({
      broadcast: (to: readonly PeerId[], bytes: Uint8Array) => to.forEach((peer) => sent.push([peer, bytes])),
      send: (to: PeerId, bytes: Uint8Array) => void sent.push([to, bytes]),
      receive: (handler: typeof fromLine) => {
        fromLine = handler;
        return () => void (fromLine = () => undefined);
      },
    }),
  };
  const link = groupLink(lines, 'group', (options): GroupTopic => {
    joined = options;
    return { name: '', say: (bytes, to = []) => void said.push([bytes, to]), hears: (peer) => heard.includes(peer) };
  });
  const listen = () => link.receive((_, bytes) => got.push(bytes));
  return { link, sent, said, got, listen, line: () => fromLine, topic: () => joined };
}

test('what is for all goes over channels, and over the topic where somebody without one was heard', () => {
  const { link, sent, said, listen } = member();
  listen();
  link.broadcast([linked, far], vote);
  expect(sent).toEqual([
    [linked, vote],
    [far, vote],
  ]);
  expect(said).toEqual([[vote, []]]);
});

test('where a member stands is said on the topic while there is no channel to somebody, and nothing else before that one is heard', () => {
  const { link, said, listen } = member([linked], []);
  listen();
  link.broadcast([linked, away], vote);
  link.broadcast([linked], stands);
  expect(said).toEqual([]);
  link.broadcast([linked, away], stands);
  expect(said).toEqual([[stands, []]]);
});

test('what is for one goes over the topic when it is heard there and has no channel', () => {
  const { link, said, listen } = member([linked], [linked, far]);
  listen();
  for (const peer of [linked, far, away]) link.send(peer, vote);
  expect(said).toEqual([[vote, [far]]]);
  expect([linked, far, away].map((peer) => link.hears(peer))).toEqual([false, true, false]);
});

test('the topic is joined as long as somebody listens, and both ways are heard', () => {
  const { link, said, got, listen, line, topic } = member();
  link.broadcast([far], stands);
  expect([said, topic()]).toEqual([[], undefined]);
  const end = listen();
  line()(linked, vote);
  topic()?.hear(far, stands);
  expect(got).toEqual([vote, stands]);
  end();
  expect(topic()?.signal.aborted).toBe(true);
  link.broadcast([far], stands);
  expect([said, link.hears(far)]).toEqual([[], false]);
});

test('without a topic there are channels alone', () => {
  const sent: PeerId[] = [];
  const send = (to: PeerId) => void sent.push(to);
  const lines = {
    reaches: () => false,
    link: () => ({ broadcast: (to: readonly PeerId[]) => to.forEach(send), send, receive: () => () => undefined }),
  };
  const link = groupLink(lines, 'group', undefined);
  link.receive(() => undefined)();
  link.broadcast([far], stands);
  link.send(far, stands);
  expect([sent, link.hears(far)]).toEqual([[far, far], false]);
});
