import { afterEach, describe, expect, test } from 'vitest';
import { type GroupWorld, groupWorld } from '../../test/group-world.ts';
import { place, type Place } from '../../test/world.ts';
import { limits } from './limits.ts';

const signal = new AbortController().signal;
const worlds: GroupWorld[] = [];
afterEach(async () => {
  for (const world of worlds.splice(0)) await world.stop();
});
async function join(seed: number, here: Place, options: Parameters<typeof groupWorld>[2] = {}): Promise<GroupWorld> {
  const world = await groupWorld(seed, here, options);
  worlds.push(world);
  return world;
}
/** Time for letters to come through, retries included. */
const settle = (here: Place, ms = 5_000): Promise<void> => here.clock.advance(ms);

type Team = readonly [GroupWorld, GroupWorld, GroupWorld, GroupWorld];

/** A founds, the others are added and have heard of it. */
async function team(here: Place, size: number): Promise<{ readonly id: string; readonly members: Team }> {
  const members: GroupWorld[] = [];
  for (let seed = 1; seed <= size; seed += 1) members.push(await join(seed, here));
  const [a, ...others] = members as [GroupWorld, ...GroupWorld[]];
  const { id } = await a.groups.create('team');
  const adding = a.groups.add(
    id,
    others.map(({ identity }) => identity.peer),
    signal,
  );
  await settle(here, 100);
  await adding;
  await settle(here);
  // A test takes no more of them than it asked for.
  return { id, members: members as readonly GroupWorld[] as Team };
}

describe('a group', () => {
  test('gives each message to every member once, and says of each that it has it', async () => {
    const here = place();
    const { id, members } = await team(here, 4);
    const message = await members[1].groups.send(id, 'text', 'hello all');
    await settle(here);
    expect(await Promise.all(members.map((one) => one.taken()))).toEqual([
      ['hello all'],
      [],
      ['hello all'],
      ['hello all'],
    ]);
    const report = await members[1].groups.report(message);
    expect(report?.members.map(({ state }) => state)).toEqual(['delivered', 'delivered', 'delivered']);
    expect(await members[1].groups.report('0'.repeat(32))).toBeUndefined();
  });

  test('is the same to all its members', async () => {
    const here = place();
    const { id, members } = await team(here, 3);
    const views = await Promise.all(members.map(async ({ groups }) => (await groups.list())[0]));
    expect(views[0]).toMatchObject({ id, name: 'team', committer: members[0].identity.peer, epoch: 1 });
    expect(views[0]?.members).toEqual(members.map(({ identity }) => identity.peer));
    expect(views[1]).toEqual(views[0]);
    expect(views[2]).toEqual(views[0]);
  });

  test('lets a removed member read nothing later, and tells it', async () => {
    const here = place();
    const { id, members } = await team(here, 3);
    const [a, b, c] = members;
    await a.groups.remove(id, c.identity.peer);
    await a.groups.send(id, 'text', 'later');
    await settle(here);
    expect(await b.taken()).toEqual(['later']);
    expect(await c.taken()).toEqual([]);
    expect(await c.groups.list()).toEqual([]);
    await expect(c.groups.send(id, 'text', 'still here')).rejects.toMatchObject({ code: 'GROUP_UNKNOWN' });
  });

  test('shows a new member nothing of what was before', async () => {
    const here = place();
    const { id, members } = await team(here, 2);
    const [a, b] = members;
    const c = await join(9, here);
    await a.groups.send(id, 'text', 'before');
    const adding = a.groups.add(id, [c.identity.peer], signal);
    await settle(here);
    await adding;
    await a.groups.send(id, 'text', 'after');
    await settle(here);
    expect(await b.taken()).toEqual(['before', 'after']);
    expect(await c.taken()).toEqual(['after']);
  });

  test('goes on when its committer leaves: the next member is the committer and lets it out', async () => {
    const here = place();
    const { id, members } = await team(here, 3);
    const [a, b, c] = members;
    await a.groups.leave(id);
    await settle(here);
    expect(await a.groups.list()).toEqual([]);
    const [view] = await b.groups.list();
    expect(view).toMatchObject({ committer: b.identity.peer, members: [b.identity.peer, c.identity.peer] });
    await c.groups.send(id, 'text', 'without a');
    await settle(here);
    expect([await a.taken(), await b.taken()]).toEqual([[], ['without a']]);
    // Who left may come back, and counts its letters anew.
    const adding = b.groups.add(id, [a.identity.peer], signal);
    await settle(here);
    await adding;
    await a.groups.send(id, 'text', 'back');
    await settle(here);
    expect([await b.taken(), await c.taken()]).toEqual([['without a', 'back'], ['back']]);
  });

  test('is changed by its committer only', async () => {
    const here = place();
    const { id, members } = await team(here, 2);
    const [a, b] = members;
    const code = (code: string) => ({ code });
    await expect(b.groups.remove(id, a.identity.peer)).rejects.toMatchObject(code('NOT_COMMITTER'));
    await expect(b.groups.add(id, [a.identity.peer], signal)).rejects.toMatchObject(code('NOT_COMMITTER'));
    await expect(a.groups.add(id, [b.identity.peer], signal)).rejects.toMatchObject(code('ALREADY_MEMBER'));
    await expect(a.groups.remove(id, a.identity.peer)).rejects.toMatchObject(code('NOT_MEMBER'));
    await expect(a.groups.send('nowhere', 'text', '')).rejects.toMatchObject(code('GROUP_UNKNOWN'));
  });

  test('gets new keys from its committer, and is read on', async () => {
    const here = place();
    const { id, members } = await team(here, 2);
    const [a, b] = members;
    expect((await a.groups.renew(id)).epoch).toBe(2);
    await b.groups.send(id, 'text', 'sealed before the change');
    await settle(here);
    await b.groups.send(id, 'text', 'and after');
    await settle(here);
    expect(await a.taken()).toEqual(['sealed before the change', 'and after']);
  });

  test('is not joined by who does not want to', async () => {
    const here = place();
    const [a, b] = [await join(1, here), await join(2, here, { mayAdd: () => false })];
    const { id } = await a.groups.create('team');
    const adding = a.groups.add(id, [b.identity.peer], signal).catch((error: unknown) => error);
    await settle(here);
    expect(await adding).toMatchObject({ code: 'REFUSED' });
    expect(await b.groups.list()).toEqual([]);
  });

  test('waits for a change that is still on its way: a message sealed after it is read after it', async () => {
    const here = place();
    const { id, members } = await team(here, 3);
    const [a, b, c] = members;
    here.networks.cut(a.identity.peer, c.identity.peer);
    await a.groups.renew(id);
    await settle(here);
    await b.groups.send(id, 'text', 'in the new epoch');
    await settle(here);
    expect(await c.taken()).toEqual([]);
    here.networks.heal(a.identity.peer, c.identity.peer);
    await settle(here, 200_000);
    expect(await c.taken()).toEqual(['in the new epoch']);
  });

  test('reaches a member before its welcome: what came too early is read with it', async () => {
    const here = place();
    const { id, members } = await team(here, 2);
    const [a, b] = members;
    const c = await join(9, here);
    const adding = a.groups.add(id, [c.identity.peer], signal);
    // The key package has come over; then the line is cut before the welcome goes.
    here.networks.cut(b.identity.peer, a.identity.peer);
    await settle(here, 0);
    await adding;
    await settle(here);
    here.networks.heal(b.identity.peer, a.identity.peer);
    here.networks.cut(c.identity.peer, a.identity.peer);
    await settle(here, 100_000);
    await b.groups.send(id, 'text', 'welcome c');
    await settle(here);
    here.networks.heal(c.identity.peer, a.identity.peer);
    await settle(here, 200_000);
    expect(await c.taken()).toEqual(['welcome c']);
  });
});

test('a message that was on disk when its sender died goes out when it is back', async () => {
  const here = place();
  const { id, members } = await team(here, 2);
  const [a, b] = members;
  await a.groups.send(id, 'text', 'last words');
  a.die();
  const store = a.store.reopen();
  expect(await b.taken()).toEqual([]);
  await join(1, here, { store });
  await settle(here);
  expect(await b.taken()).toEqual(['last words']);
});

describe('limits of groups', () => {
  test('a name, a kind and a message of the limit are taken, one byte more is not', async () => {
    const here = place();
    const a = await join(1, here);
    const { id } = await a.groups.create('n'.repeat(limits.nameBytesMax));
    const tooMuch = { code: 'LIMIT_EXCEEDED' };
    await expect(a.groups.create('n'.repeat(limits.nameBytesMax + 1))).rejects.toMatchObject(tooMuch);
    await expect(a.groups.create('')).rejects.toMatchObject(tooMuch);
    await a.groups.send(id, 'k'.repeat(limits.kindBytesMax), 'm'.repeat(limits.messageBytesMax - 2));
    await expect(a.groups.send(id, 'k'.repeat(limits.kindBytesMax + 1), '')).rejects.toMatchObject(tooMuch);
    await expect(a.groups.send(id, 'k', 'm'.repeat(limits.messageBytesMax - 1))).rejects.toMatchObject(tooMuch);
  });

  test('a message of the limit comes through', async () => {
    const here = place();
    const { id, members } = await team(here, 2);
    await members[0].groups.send(id, 'text', 'm'.repeat(limits.messageBytesMax - 2));
    await settle(here);
    expect((await members[1].taken())[0]).toHaveLength(limits.messageBytesMax - 2);
  });

  test('a peer is in as many groups as the limit, not in one more', async () => {
    const here = place();
    const a = await join(1, here);
    for (let count = 0; count < limits.groupsMax; count += 1) await a.groups.create(`group ${count}`);
    await expect(a.groups.create('one more')).rejects.toMatchObject({ code: 'LIMIT_REACHED' });
  });

  test('a group has as many members as the limit, not one more', async () => {
    const here = place();
    const { id, members } = await team(here, limits.membersMax);
    expect((await members.at(-1)?.groups.list())?.[0]?.members).toHaveLength(limits.membersMax);
    const late = await join(999, here);
    await expect(members[0].groups.add(id, [late.identity.peer], signal)).rejects.toMatchObject({
      code: 'LIMIT_REACHED',
    });
  });

  test('as many reports are kept as the limit says, the newest', async () => {
    const here = place();
    const a = await join(1, here);
    const { id } = await a.groups.create('alone');
    const first = await a.groups.send(id, 'text', 0);
    for (let count = 1; count < limits.reportsKept; count += 1) await a.groups.send(id, 'text', count);
    expect(await a.groups.report(first)).toBeDefined();
    await a.groups.send(id, 'text', 'one more');
    expect(await a.groups.report(first)).toBeUndefined();
  });
});
