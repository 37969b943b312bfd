import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TrainingLinkView, TrainingOffersView, TrainingRunView } from '@peerai/peer/control';
import { gaussian, seededUnit } from '@peerai/nn-engine';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type Agent, ended, homes, pairUp, start, upAs } from '../../test/cli.ts';

const folders = homes();
let desk: Agent;
let laptop: Agent;
let phone: Agent;
beforeAll(async () => {
  [desk, laptop, phone] = await Promise.all([
    upAs('desk', folders.make()),
    upAs('laptop', folders.make()),
    upAs('phone', folders.make()),
  ]);
  await pairUp(desk, laptop, 'chat,train');
  await pairUp(desk, phone, 'chat,train');
  await pairUp(laptop, phone, 'chat');
}, 60_000);
afterAll(async () => {
  await Promise.all([desk?.end(), laptop?.end(), phone?.end()]);
  folders.remove();
});

/** Whether two numbers have the same sign. */
function table(agent: Agent, seed: number): string {
  const random = seededUnit(seed);
  const rows = Array.from({ length: 100 }, () => {
    const [x, y] = [gaussian(random), gaussian(random)];
    return `${x},${y},${x * y > 0 ? 'same' : 'other'}`;
  });
  const file = join(agent.home, 'signs.csv');
  writeFileSync(file, ['x,y,sign', ...rows].join('\n'));
  return file;
}
test(
  'three agents train one model; one is killed, the others end with the same file',
  { timeout: 180_000 },
  async () => {
    expect((await desk.run(['train', 'ls'])).stdout).toMatch(/^None yet/u);
    const file = table(desk, 1);
    expect(await desk.run(['train', 'start', file])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('x, y, sign'),
    });
    const started = await desk.run([
      'train',
      'start',
      file,
      '--label',
      'sign',
      '--hidden',
      '8',
      '--rounds',
      '60',
      '--steps',
      '10',
      '--members',
      '2',
    ]);
    expect(started).toMatchObject({ code: 0, stdout: expect.stringContaining('peerai train join signs') });
    const early = start(['train', 'watch', 'signs'], { home: desk.home });
    const earlyEnd = ended(early, 120_000);
    await vi.waitFor(
      () => expect(early.told.stderr).toMatch(/^signs: waiting for members: \d of 2 updates$/mu),
      30_000,
    );
    const handed = await desk.run(['train', 'link', 'signs', '--data', file, '--visitors', '2', '--for', '1h']);
    expect(handed).toMatchObject({ code: 0, stdout: expect.stringMatching(/^http.*\/t#[\w-]+\n$/u) });
    expect(handed.stderr).toContain('Whoever has the link may read a part of signs.csv');
    const { links } = await desk.json<{ links: readonly TrainingLinkView[] }>(['train', 'links', 'signs']);
    expect(links).toMatchObject([{ state: 'active', visitorsMax: 2, visitors: [], handed: { name: 'signs.csv' } }]);
    expect(await desk.run(['train', 'unlink', links[0]?.id ?? ''])).toMatchObject({ code: 0 });
    expect((await desk.run(['train', 'links', 'signs'])).stdout).toMatch(/ stopped .* -$/mu);
    expect(await desk.run(['train', 'link', 'signs', '--visitors', 'many'])).toMatchObject({ code: 2 });
    for (const [agent, seed] of [
      [laptop, 2],
      [phone, 3],
    ] as const) {
      const own = table(agent, seed);
      expect(await agent.run(['train', 'join', 'signs', own])).toMatchObject({
        code: 2,
        stderr: expect.stringContaining('say -y'),
      });
      const joined = await agent.run(['train', 'join', 'signs', own, '-y']);
      expect(joined, joined.stderr).toMatchObject({ code: 0 });
      expect(joined.stderr).toContain('sees each of your updates by itself');
    }
    process.kill(phone.info.pid, 'SIGKILL');
    const watching = [desk, laptop].map(({ home }) =>
      ended(start(['train', 'watch', 'signs', '--json'], { home }), 120_000),
    );
    const runs = (await Promise.all(watching)).map(
      ({ stdout }) => (JSON.parse(stdout) as { run: TrainingRunView }).run,
    );
    expect(runs).toMatchObject([{ state: 'done' }, { state: 'done' }]);
    expect(runs[0]?.file?.sha256).toMatch(/^[0-9a-f]{64}$/u);
    expect(runs[1]).toMatchObject({ hash: runs[0]?.hash, file: { sha256: runs[0]?.file?.sha256 } });
    expect((await earlyEnd).code).toBe(0);
    const { stdout, stderr } = await laptop.run(['train', 'watch', 'signs']);
    expect(stdout).toContain(runs[0]?.file?.sha256);
    expect(stderr).toMatch(/round +60 {2}training loss/u);
    const told = await laptop.run(['train', 'predict', 'signs', file]);
    expect(told.stdout, told.stderr).toMatch(
      /^100 +(same|other) .*\n\d+ of 100 rows with a label told rightly: [\d.]+ %\.$/mu,
    );
    const other = join(laptop.home, 'other.csv');
    writeFileSync(other, 'x,z\n1,2\n');
    expect((await laptop.run(['train', 'predict', 'signs', other])).stderr).toContain('the columns y are missing');
    expect((await desk.run(['ledger', 'tail', '-n', '1'])).stdout).toMatch(
      /training-round +round 60 of .* its own among them/u,
    );
    const { stdout: said } = await desk.run(['ledger', 'tail', '-n', '3']);
    expect(said).toMatch(
      /training-commit +round 60 of .* commits to its update as (\w{8})\n.*training-reveal +round 60 of .* \1 was to its update/u,
    );
    expect((await laptop.run(['ledger', 'verify'])).stdout).toMatch(/\d+ training rounds: all good/u);
  },
);

test('a private run says so to those invited, before they join', { timeout: 60_000 }, async () => {
  const file = table(desk, 4);
  const hidden = ['train', 'start', file, '--label', 'sign', '--name', 'hidden', '--private'];
  expect(await desk.run([...hidden, '--liars', '1'])).toMatchObject({
    stderr: expect.stringContaining('a private run has no liars'),
  });
  const started = await desk.run([...hidden, '--epsilon', '8', '--rounds', '4']);
  expect(started, started.stderr).toMatchObject({ code: 0, stdout: expect.stringContaining('ε 0.00 of 8 is spent') });
  expect(started.stderr).toContain('It is private, for ');
  expect((await laptop.run(['train', 'ls'])).stdout).toMatch(/hidden +private +offered/u);
  const joined = await laptop.run(['train', 'join', 'hidden', table(laptop, 5), '-y']);
  expect(joined, joined.stderr).toMatchObject({ code: 0, stdout: expect.stringContaining('private') });
  expect(joined.stderr).toContain('Nothing stops a bad update');
  for (const agent of [desk, laptop]) expect(await agent.run(['train', 'stop', 'hidden'])).toMatchObject({ code: 0 });
});

test('a device without the right is told so, and joins nothing', { timeout: 60_000 }, async () => {
  expect(await desk.run(['peers', 'allow', 'laptop', 'chat'])).toMatchObject({ code: 0 });
  const { unanswered } = await laptop.json<TrainingOffersView>(['train', 'ls']);
  expect(unanswered).toMatchObject([{ name: 'desk', code: 'NOT_GRANTED' }]);
});
