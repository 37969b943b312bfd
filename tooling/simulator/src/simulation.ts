import { type Clock, PeerAiError } from '@peerai/core-protocol';
import type { TaskHandler } from '@peerai/peer';
import { actions, type Scene } from './actions.ts';
import { createDice } from './dice.ts';
import type { Mutant } from './disk.ts';
import { createHistory, createTrace, type History } from './history.ts';
import { wrongAfterHealing, wrongNow } from './invariants.ts';
import { createWorld } from './world.ts';

export interface SimulationOptions {
  /** Default 5. */
  readonly peers?: number;
  /** Default 200. */
  readonly steps?: number;
  /** Chance that a message kills its channel. Default 0.02. */
  readonly lossRate?: number;
  /** A bug to plant, to see that it is caught. Default none. */
  readonly mutant?: Mutant | undefined;
}
export interface SimulationResult {
  readonly ok: boolean;
  readonly seed: number;
  /** The step after which something was wrong; `steps` stands for the look after healing. */
  readonly failure?: { readonly step: number; readonly what: string };
  /** SHA-256 of everything that happened: the same seed and options give the same. */
  readonly traceHash: string;
  readonly trace: readonly string[];
  /** How often each action ended how. */
  readonly counts: ReadonlyMap<string, number>;
}

/** Longest time between two steps, and how long the healed world gets, milliseconds: twice the longest wait before a peer tries again. */
const stepMsMax = 3_000;
const healMs = 150_000;
/** What a task takes for each character of its title, milliseconds. */
const tallyMs = 200;

/**
 * A number of peers in one world whose time, network, disks and doings all follow from one seed: they pair, write, ask and share while lines are
 * cut and processes die; then all heals, and what somebody was told must be true. Never throws for what the peers do.
 */
export async function runSimulation(seed: number, options: SimulationOptions = {}): Promise<SimulationResult> {
  const { peers = 5, steps = 200, lossRate = 0.02, mutant } = options;
  const history = createHistory();
  const world = createWorld({
    seed,
    peers,
    lossRate,
    mutant,
    written: (name, changes) => history.written(name, changes),
    handlers: (_, clock) => [tally(history, clock)],
  });
  const scene: Scene = { world, dice: createDice(seed), history, trace: createTrace() };
  const drawn = actions.flatMap((action) => Array.from({ length: action.weight }, () => action));
  const end = (failure?: SimulationResult['failure']): SimulationResult => {
    const { trace } = scene;
    if (failure !== undefined) trace.note(`wrong: ${failure.what}`);
    const found = failure === undefined ? {} : { failure };
    return {
      ok: failure === undefined,
      seed,
      ...found,
      traceHash: trace.hash(),
      trace: trace.lines,
      counts: history.counts,
    };
  };
  let step = 0;
  try {
    await world.startRelay();
    for (const player of world.players) await world.start(player);
    for (; step < steps; step += 1) {
      const action = scene.dice.pick(drawn);
      scene.trace.note(`${step} ${world.clock.elapsedMs()} ${action.name}`);
      await action.begin(scene);
      await world.clock.advance(scene.dice.below(stepMsMax));
      const what = wrongNow(scene);
      if (what !== undefined) return end({ step, what });
    }
    await heal(scene);
    const what = await wrongAfterHealing(scene);
    return end(what === undefined ? undefined : { step: steps, what });
  } catch (error) {
    return end({
      step,
      what: PeerAiError.is(error)
        ? `${error.code}: ${error.message}`
        : `a defect: ${error instanceof Error ? error.message : 'unknown'}`,
    });
  } finally {
    for (const player of world.players) await world.kill(player);
    await world.killRelay();
  }
}

/** Says how often it was called, and may not be called again for the same task. */
const tally = ({ tasks }: History, clock: Clock): TaskHandler => ({
  types: ['tally'],
  repeatable: false,
  async run({ title }, { signal }) {
    const task = tasks.get(title);
    if (task === undefined) throw new PeerAiError('INVALID_FORMAT', 'nobody gave this task');
    task.runs += 1;
    await clock.sleep(title.length * tallyMs, signal);
    return { runs: task.runs };
  },
});

/** Every line works and loses nothing, every clock is right, everybody runs, every tab looks at its share once more. */
async function heal({ world }: Scene): Promise<void> {
  world.calm();
  const machines = [...world.players, ...world.visitors, world.relay];
  for (const one of machines) one.clock.skewMs = 0;
  const ids = machines.map(({ identity }) => identity.peer);
  for (const one of ids) for (const other of ids) world.networks.heal(one, other);
  if (!world.relay.isUp) await world.startRelay();
  for (const player of world.players) if (player.peer === undefined) await world.start(player);
  await world.clock.advance(healMs);
  for (const { guest } of world.visitors) {
    for (let tries = 0; tries < 5; tries += 1) {
      const ended = await world.clock.until(
        guest.connect(new AbortController().signal).then(
          () => true,
          (error: unknown) => !PeerAiError.is(error, 'CHANNEL_CLOSED', 'TIMEOUT', 'RECEIPT_UNSIGNED'),
        ),
      );
      if (ended) break;
    }
  }
}
