import type { ManualClock } from '@peerai/core-protocol/testing';
import type { ChatEvent } from '../chat/chat.schema.ts';
import type { Permission } from '../pairing/permissions.ts';
import type { TestGuest, TestPeer, TestWorld } from './peers.ts';

export const live = (): AbortSignal => new AbortController().signal;

/** Steps after which something is waited for that no clock moves, such as a room's sources being loaded. */
const patientAfterSteps = 20;
/** Milliseconds of real time that a step then leaves it. */
const patienceMs = 5;

/** Lets everything that is ready run, moving time in small steps, until the condition holds; fails after ten (test) seconds. */
export async function until<T>(
  clock: ManualClock,
  look: () => T | undefined | false | Promise<T | undefined | false>,
): Promise<T> {
  for (let step = 0; step < 200; step += 1) {
    const seen = await look();
    if (seen !== undefined && seen !== false) return seen;
    await clock.advance(50);
    if (step >= patientAfterSteps) await new Promise((resolve) => void setTimeout(resolve, patienceMs));
  }
  throw new Error('the condition did not come true within ten seconds of the test clock');
}

/** Both devices of each other, with the models of `inviter` known to `joiner`. */
export async function pair(
  world: TestWorld,
  inviter: TestPeer,
  joiner: TestPeer,
  allow: readonly Permission[] = ['chat'],
): Promise<void> {
  const { link } = await inviter.peer.pairing.invite(allow);
  const pending = await world.clock.until(joiner.peer.pairing.join(link, live()));
  await world.clock.until(inviter.peer.pairing.accept(pending.id));
  await until(world.clock, () =>
    joiner.peer.peers.list().some(({ peerId, models }) => peerId === inviter.identity.peer && models.length > 0),
  );
}

/** An answer while it comes. */
export interface Running {
  readonly events: ChatEvent[];
  ended(): boolean;
  stop(): void;
}
function run(ask: (signal: AbortSignal) => AsyncIterable<ChatEvent>): Running {
  const events: ChatEvent[] = [];
  const stopping = new AbortController();
  let ended = false;
  void (async () => {
    for await (const event of ask(stopping.signal)) events.push(event);
    ended = true;
  })();
  return { events, ended: () => ended, stop: () => stopping.abort() };
}
export function startAsking(asker: TestPeer, model: string, text: string, maxTokens = 64): Running {
  return run((signal) => asker.peer.chat.ask({ model, messages: [{ role: 'user', text }], maxTokens }, signal));
}
export function startGuestAsking(
  { guest }: TestGuest,
  text: string,
  options: { readonly model?: string; readonly maxTokens?: number } = {},
): Running {
  return run((signal) => guest.ask([{ role: 'user', text }], { maxTokens: 64, ...options }, signal));
}
export async function ended(world: TestWorld, running: Running): Promise<ChatEvent[]> {
  await until(world.clock, () => running.ended());
  return running.events;
}
export const ask = (
  world: TestWorld,
  asker: TestPeer,
  model: string,
  text: string,
  maxTokens?: number,
): Promise<ChatEvent[]> => ended(world, startAsking(asker, model, text, maxTokens));
export const guestAsks = (
  world: TestWorld,
  guest: TestGuest,
  text: string,
  options?: { readonly model?: string; readonly maxTokens?: number },
): Promise<ChatEvent[]> => ended(world, startGuestAsking(guest, text, options));

export const textOf = (events: readonly ChatEvent[]): string =>
  events.map((event) => (event.type === 'delta' ? event.text : '')).join('');
