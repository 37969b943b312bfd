import { expect, test } from 'vitest';
import { type OlderScene, olderScene } from '../testing/older.ts';
import { until } from '../testing/steps.ts';

const scene = (options?: Parameters<typeof olderScene>[1]): Promise<OlderScene> =>
  olderScene({ seed: 41, profiles: ['peerai/1', 'pcp/1.0-six', 'pcp/0.1'] }, options);
const kinds = ({ old }: OlderScene): readonly string[] => old.heard.map(({ kind }) => kind);
const payloadOf = ({ old }: OlderScene, kind: string): unknown => old.heard.find((one) => one.kind === kind)?.payload;
const task = { task_id: 't-1', description: 'Say hello.', task_type: 'research' };

test('A task of an older peer is refused until the owner lets it hand over tasks', async () => {
  const at = await scene();
  const refused = await at.old.say(at.a, 'task_delegate', task);
  expect([refused.status, refused.body['error']]).toMatchObject([403, { code: 'REFUSED' }]);
  expect(at.a.peer.tasks.list()).toEqual([]);
  await at.a.peer.olderPeers.change('old', { allow: ['tasks'] });
  expect((await at.old.say(at.a, 'task_delegate', task)).status).toBe(200);
  expect(at.a.peer.tasks.list()).toMatchObject([{ peerName: 'old', direction: 'taken' }]);
});

test('It is accepted, tells how far it is, and its result comes back signed; all of it with its id', async () => {
  const at = await scene({ contact: { allow: ['tasks'] } });
  expect(
    (await at.old.say(at.a, 'task_delegate', { ...task, deadline: at.world.clock.nowMs() / 1_000 + 60 })).status,
  ).toBe(200);
  await until(at.world.clock, () => kinds(at).includes('task_complete'));
  expect(kinds(at)).toEqual(expect.arrayContaining(['task_accept', 'task_progress', 'task_complete']));
  expect(payloadOf(at, 'task_accept')).toMatchObject({ task_id: 't-1', status: 'assigned' });
  expect(payloadOf(at, 'task_complete')).toMatchObject({
    task_id: 't-1',
    status: 'completed',
    result: { model: 'echo', text: expect.stringContaining('hello') as string },
  });
  expect(at.old.heard.every(({ proven }) => proven.has('payload'))).toBe(true);
  // What nobody does is rejected with a reason.
  await at.old.say(at.a, 'task_delegate', { ...task, task_id: 't-2', task_type: 'deploy' });
  await until(at.world.clock, () => kinds(at).includes('task_reject'));
  expect(payloadOf(at, 'task_reject')).toMatchObject({ task_id: 't-2', error_code: 'NO_HANDLER' });
});

test('In the oldest profile a delegate is a task, and its end a result', async () => {
  const at = await scene({ profile: 'pcp/0.1', contact: { allow: ['tasks'] } });
  const { description } = task;
  const delegate = { task_id: 't-3', type: 'research', description, priority: 'HIGH', deadline: null };
  expect((await at.old.say(at.a, 'delegate', delegate)).body).toEqual({ status: 'received' });
  await until(at.world.clock, () => kinds(at).includes('result'));
  expect(payloadOf(at, 'status')).toMatchObject({ task_id: 't-3', state: 'assigned' });
  expect(payloadOf(at, 'result')).toMatchObject({ task_id: 't-3', status: 'completed' });
});

test('The right taken away ends its tasks; without an address none is given', async () => {
  const at = await scene({ contact: { allow: ['tasks'] } });
  at.old.answers = () => ({ status: 503, body: {} });
  await at.old.say(at.a, 'task_delegate', {
    ...task,
    context: { max_tokens: 32_768 },
    description: 'word '.repeat(900),
  });
  await at.a.peer.olderPeers.change('old', { allow: [] });
  await until(at.world.clock, () => at.a.peer.tasks.list()[0]?.status === 'cancelled');
  const without = await scene({ hasUrl: false });
  await expect(without.a.peer.olderPeers.change('old', { allow: ['tasks'] })).rejects.toMatchObject({
    code: 'REFUSED',
  });
  await without.old.say(without.a, 'error', { error_code: 'SEQUENCE_ERROR' });
  const [shown] = without.a.peer.olderPeers.list();
  expect(shown).toMatchObject({ name: 'old', url: null, trouble: 'SEQUENCE_ERROR', named: true });
  await expect(without.a.peer.olderPeers.change('nobody', { allow: [] })).rejects.toMatchObject({
    code: 'DEVICE_UNKNOWN',
  });
});

test('A task is given to an older peer, and what it answers is heard', async () => {
  const at = await scene();
  const given = await at.a.peer.tasks.delegate({
    to: 'old',
    type: 'research',
    description: 'Look it up.',
    priority: 'normal',
  });
  await until(at.world.clock, () => kinds(at).includes('task_delegate'));
  const { task_id: id } = payloadOf(at, 'task_delegate') as { readonly task_id: string };
  expect((await at.old.say(at.a, 'task_accept', { task_id: id })).status).toBe(200);
  await until(at.world.clock, () => at.a.peer.tasks.list()[0]?.status === 'assigned');
  await at.old.say(at.a, 'task_complete', { task_id: id, result: { answer: 4 } });
  await until(at.world.clock, () => at.a.peer.tasks.list()[0]?.status === 'completed');
  expect((await at.a.peer.tasks.get(given.id)).result).toEqual({ answer: 4 });
});
