import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type GroupWorld, groupWorld } from '../../test/group-world.ts';
import { place } from '../../test/world.ts';

const signal = new AbortController().signal;
const steps = ['send 0', 'send 1', 'send 2', 'die 0', 'die 1', 'die 2', 'renew', 'cut', 'heal', 'time'] as const;

function must<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('no such place');
  return value;
}

test('every member gets each message once, in each sender’s order, whoever dies when', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom(...steps), { maxLength: 14 }),
      fc.integer({ min: 0, max: 2 ** 31 }),
      async (schedule, seed) => {
        const here = place({ lossRate: 0.03, seed });
        const worlds: GroupWorld[] = [];
        for (let one = 1; one <= 3; one += 1) worlds.push(await groupWorld(one, here));
        const at = (index: number): GroupWorld => must(worlds[index]);
        const { id } = await at(0).groups.create('team');
        const others = [at(1).identity.peer, at(2).identity.peer];
        const adding = (async () => {
          // The line may break off; then they are asked again.
          for (let isDone = false; !isDone;) {
            isDone = await at(0)
              .groups.add(id, others, signal)
              .then(
                () => true,
                () => false,
              );
          }
        })();
        await here.clock.advance(60_000);
        await adding;
        await here.clock.advance(120_000);
        const sent: string[][] = [[], [], []];
        for (const step of schedule) {
          const [verb, number = '0'] = step.split(' ');
          const index = Number(number);
          if (verb === 'send') {
            const text = `${index}:${must(sent[index]).length}`;
            await at(index).groups.send(id, 'text', text);
            must(sent[index]).push(text);
          } else if (verb === 'die') {
            at(index).die();
            worlds[index] = await groupWorld(index + 1, here, { store: at(index).store.reopen() });
          } else if (verb === 'renew') await at(0).groups.renew(id);
          else if (verb === 'cut') here.networks.cut(at(0).identity.peer, at(2).identity.peer);
          else if (verb === 'heal') here.networks.heal(at(0).identity.peer, at(2).identity.peer);
          else await here.clock.advance(700);
        }
        here.networks.heal(at(0).identity.peer, at(2).identity.peer);
        await here.clock.advance(900_000);
        for (const [index, world] of worlds.entries()) {
          const taken = await world.taken();
          for (const [sender, texts] of sent.entries()) {
            if (sender === index) continue;
            expect(taken.filter((text) => text.startsWith(`${sender}:`))).toEqual(texts);
          }
        }
        for (const world of worlds) await world.stop();
      },
    ),
    { numRuns: 30 },
  );
}, 60_000);
