import fc from 'fast-check';
import { expect, test } from 'vitest';
import { meet, type StateWorld, stateWorld } from '../../test/state-world.ts';
import { place } from '../../test/world.ts';

const count = 4;
const who = fc.nat(count - 1);
const pair = fc.tuple(who, who).filter(([a, b]) => a !== b);
const step = fc.oneof(
  fc.record({ do: fc.constant('set' as const), who, key: fc.constantFrom('x', 'y', 'z'), value: fc.nat(9) }),
  fc.record({ do: fc.constant('remove' as const), who, key: fc.constantFrom('x', 'y', 'z') }),
  fc.record({ do: fc.constant('write' as const), who, text: fc.string({ maxLength: 12, unit: 'binary' }) }),
  fc.record({ do: fc.constant('cut' as const), pair }),
  fc.record({ do: fc.constant('heal' as const), pair }),
  fc.record({ do: fc.constant('restart' as const), who }),
  fc.record({ do: fc.constant('wait' as const), ms: fc.nat(3_000) }),
);

test(
  'after any partitions, restarts and orders of changes, all who meet have the same',
  { timeout: 120_000 },
  async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), fc.nat(1_000), async (steps, seed) => {
        const here = place({ seed });
        const worlds: StateWorld[] = [];
        for (let index = 0; index < count; index += 1) worlds.push(await stateWorld(index + 1, here));
        const at = (index: number): StateWorld => {
          const world = worlds[index];
          if (world === undefined) throw new RangeError(`no peer ${index}`);
          return world;
        };
        const { id } = await at(0).states.create('notes', { members: worlds.slice(1).map(({ peer }) => peer) });
        await here.clock.advance(1_000);
        for (const one of steps) {
          if (one.do === 'set') await at(one.who).states.set(id, one.key, one.value);
          else if (one.do === 'remove') await at(one.who).states.remove(id, one.key);
          else if (one.do === 'write') await at(one.who).states.write(id, one.text.toWellFormed());
          else if (one.do === 'wait') await here.clock.advance(one.ms);
          else if (one.do === 'restart') {
            const { store, ...old } = at(one.who);
            old.die();
            worlds[one.who] = await stateWorld(one.who + 1, here, { store: store.reopen() });
          } else {
            const [a, b] = [at(one.pair[0]).peer, at(one.pair[1]).peer];
            here.networks[one.do](a, b);
          }
        }
        // They meet in a line, once there and once back: not everybody sees everybody.
        for (const a of worlds) for (const b of worlds) if (a !== b) here.networks.heal(a.peer, b.peer);
        for (const [first, second] of [
          [0, 1],
          [1, 2],
          [2, 3],
          [1, 2],
          [0, 1],
        ] as const) {
          await meet(at(first), at(second));
          await here.clock.advance(100);
        }
        await here.clock.advance(5_000);
        const all = await Promise.all(worlds.map((world) => world.seen(id)));
        for (const one of worlds) await one.stop();
        for (const one of all) expect(one).toEqual(all[0]);
      }),
      { numRuns: 60 },
    );
  },
);
