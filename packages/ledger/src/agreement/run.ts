import type { PeerId } from '@peerai/core-protocol';
import { agreementLimits as limits } from './limits.ts';
import { createMachine } from './machine.ts';
import { encodeMessage } from './message.ts';
import { blockKey } from './rows.ts';
import { simplexRules } from './rules.ts';
import type { AgreementState, Times } from './state.ts';
import type { AgreementDeps, AgreementEffect, AgreementEvent, Block, Wish } from './types.ts';

/** What the runner tells once it is on disk. */
interface Listeners {
  decided(): void;
  settled(ticket: number, block: Block, index: number): void;
  dropped(ticket: number): void;
  failed(error: unknown): void;
}
interface RunningMember {
  start(): Promise<void>;
  stop(): Promise<void>;
  submit(wishes: readonly Wish[]): void;
  state(): AgreementState;
  /** Of the newest block on disk. */
  height(): number;
  isRunning(): boolean;
}

/** Events that share one commit. */
const batchEventsMax = 64;

/** Gives events to the machine one after another; what it wants kept is on disk before anything else it wants is done. */
export function runMember(deps: AgreementDeps, times: Times, loaded: AgreementState, to: Listeners): RunningMember {
  const { store, clock, link, identity } = deps;
  const machine = createMachine({ ...deps, times, rules: simplexRules });
  let state = loaded;
  let height = loaded.place.height;
  let running: { readonly stop: () => void; readonly timer: { at: AbortController } } | undefined;
  let events: AgreementEvent[] = [];
  let received = 0;
  let isPumping = false;
  let pumping = Promise.resolve();
  let failure: unknown;

  const push = (event: AgreementEvent): void => {
    if (running === undefined) return;
    events.push(event);
    if (isPumping) return;
    isPumping = true;
    pumping = pump();
  };
  const pump = async (): Promise<void> => {
    // Not in the caller's own turn: what it says next belongs to the same batch.
    await Promise.resolve();
    try {
      while (events.length > 0) await runBatch();
    } catch (error) {
      failure = error;
      deps.logger?.error('agreement-stopped', { group: deps.identity.peer });
      end();
      to.failed(error);
    } finally {
      isPumping = false;
    }
  };
  const runBatch = async (): Promise<void> => {
    const batch = events.splice(0, batchEventsMax);
    received -= batch.filter(({ type }) => type === 'received').length;
    const effects = batch.flatMap((event) => {
      const [next, more] = machine.step(state, event, clock.elapsedMs());
      state = next;
      return more;
    });
    const changes = effects.flatMap((one) => (one.type === 'persist' ? [store.put(one.key, one.value)] : []));
    if (changes.length > 0) await store.commit(changes);
    const blocks = new Map<number, Block>();
    for (const effect of effects) if (effect.type === 'decided') blocks.set(effect.block.header.height, effect.block);
    height = state.place.height;
    for (const effect of effects) if (running !== undefined) await act(effect, blocks);
    if (blocks.size > 0) to.decided();
  };
  const act = async (effect: AgreementEffect, blocks: ReadonlyMap<number, Block>): Promise<void> => {
    switch (effect.type) {
      case 'broadcast':
        link.broadcast(
          state.place.epoch.members.filter((peer) => peer !== identity.peer),
          effect.bytes,
        );
        break;
      case 'send':
        link.send(effect.to, effect.bytes);
        break;
      case 'send-blocks':
        await sendBlocks(effect.to, effect.fromHeight);
        break;
      case 'settled': {
        const block = blocks.get(effect.height);
        if (block !== undefined) to.settled(effect.ticket, block, effect.index);
        break;
      }
      case 'dropped':
        to.dropped(effect.ticket);
        break;
      case 'wake':
        wakeAt(effect.atMs);
        break;
      case 'lied':
        deps.lied?.(effect.evidence);
        break;
      case 'persist':
      case 'decided':
        break;
    }
  };
  const sendBlocks = async (peer: PeerId, fromHeight: number): Promise<void> => {
    const blocks: Uint8Array[] = [];
    let bytes = 0;
    const end = blockKey(Math.min(height, fromHeight + limits.blocksPerMessageMax - 1) + 1);
    for await (const { value } of store.range(blockKey(fromHeight), end)) {
      bytes += value.length;
      if (bytes > limits.blocksBytesMax) break;
      blocks.push(value);
    }
    if (blocks.length > 0) link.send(peer, encodeMessage({ blocks }));
  };
  const wakeAt = (atMs: number): void => {
    if (running === undefined) return;
    running.timer.at.abort();
    const timer = new AbortController();
    running.timer.at = timer;
    clock.sleep(Math.max(0, atMs - clock.elapsedMs()), timer.signal).then(
      () => push({ type: 'ticked', timeMs: clock.nowMs() }),
      () => undefined,
    );
  };
  const end = (): void => {
    running?.stop();
    running?.timer.at.abort();
    running = undefined;
    events = [];
    received = 0;
  };

  return {
    async start() {
      if (failure !== undefined) throw failure;
      if (running !== undefined) return;
      const stop = link.receive((from, bytes) => {
        if (received >= limits.inboxMessagesMax) return;
        received += 1;
        push({ type: 'received', from, bytes, timeMs: clock.nowMs() });
      });
      running = { stop, timer: { at: new AbortController() } };
      push({ type: 'started', timeMs: clock.nowMs() });
      await pumping;
      if (failure !== undefined) throw failure;
    },
    async stop() {
      end();
      await pumping;
    },
    submit: (wishes) => push({ type: 'submitted', wishes, timeMs: clock.nowMs() }),
    state: () => state,
    height: () => height,
    isRunning: () => running !== undefined,
  };
}
