import type { GroupDeliveryView, GroupMessageView, GroupView } from '@peerai/peer/control';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type Agent, homes, pairUp, up } from '../../test/cli.ts';

const folders = homes();
let desk: Agent;
let laptop: Agent;
beforeAll(async () => {
  [desk, laptop] = await Promise.all([
    up(folders.make(), { env: { PEERAI_NETWORK__NAME: 'desk' } }),
    up(folders.make(), { env: { PEERAI_NETWORK__NAME: 'laptop' } }),
  ]);
  await pairUp(desk, laptop);
}, 60_000);
afterAll(async () => {
  await Promise.all([desk?.end(), laptop?.end()]);
  folders.remove();
});

const groupsOf = async (agent: Agent): Promise<readonly GroupView[]> =>
  (await agent.json<{ groups: GroupView[] }>(['groups', 'ls'])).groups;
const eventually = <T>(look: () => Promise<T>): Promise<T> => vi.waitFor(look, { timeout: 20_000, interval: 250 });

test('a group is made, written to, and left', { timeout: 90_000 }, async () => {
  expect((await desk.run(['groups'])).stdout).toMatch(/^None yet/u);
  expect(await desk.run(['groups', 'create', 'team'])).toMatchObject({ code: 0 });
  const { group } = await desk.json<{ group: GroupView }>(['groups', 'add', 'team', 'laptop']);
  expect(group.members.map(({ name }) => name)).toEqual(['desk', 'laptop']);
  await eventually(async () => expect(await groupsOf(laptop)).toHaveLength(1));
  const { delivery } = await laptop.json<{ delivery: GroupDeliveryView }>(['send', '@team', 'hello desk']);
  expect(delivery.members).toMatchObject([{ name: 'desk' }]);
  const messages = await eventually(async () => {
    const read = await desk.json<{ messages: GroupMessageView[] }>(['groups', 'read', 'team']);
    expect(read.messages).toHaveLength(1);
    return read.messages;
  });
  expect(messages).toMatchObject([{ fromName: 'laptop', groupName: 'team', payload: 'hello desk' }]);
  expect(await laptop.run(['groups', 'remove', 'team', 'desk'])).toMatchObject({ code: 5 });
  expect(await laptop.run(['groups', 'leave', 'team'])).toMatchObject({ code: 0, stdout: 'Left.\n' });
  await eventually(async () => expect((await groupsOf(desk))[0]?.members).toHaveLength(1));
  const gone = await laptop.run(['send', '@team', 'gone']);
  expect(gone).toMatchObject({ code: 1, stderr: expect.stringContaining('`peerai groups` lists') });
  const made = await desk.run(['groups', 'create', 'both', '--with', 'laptop']);
  expect(made).toMatchObject({ code: 0, stdout: 'Made both. In it: desk, laptop\n' });
  await eventually(async () => expect(await groupsOf(laptop)).toHaveLength(1));
});
