import { PeerAiError } from '@peerai/core-protocol';
import type { Peer } from '@peerai/peer';
import type { Dice } from './dice.ts';
import type { History, Trace } from './history.ts';
import type { Player, SimulatedWorld, Visitor } from './world.ts';

export interface Scene {
  readonly world: SimulatedWorld;
  readonly dice: Dice;
  readonly history: History;
  readonly trace: Trace;
}
interface Action {
  readonly name: string;
  /** How often it is drawn. */
  readonly weight: number;
  /** Begins it; what takes time goes on by itself. */
  begin(scene: Scene): Promise<void> | void;
}
type Alive = Player & { peer: Peer };

const never = new AbortController().signal;
const alive = ({ world }: Scene): Alive[] =>
  world.players.filter((player): player is Alive => player.peer !== undefined);
const two = (scene: Scene): readonly [Alive, Alive] | undefined => {
  const players = alive(scene);
  if (players.length < 2) return undefined;
  const one = scene.dice.pick(players);
  return [one, scene.dice.pick(players.filter((other) => other !== one))];
};
const knows = (one: Player, other: Player): boolean =>
  one.peer?.peers.list().some(({ peerId, kind }) => peerId === other.identity.peer && kind === 'device') ?? false;

/** Runs it beside everything else; its end stands in the trace, and what is no error of ours is a defect. */
function spawn({ trace, history }: Scene, what: string, task: () => Promise<string>): void {
  const ended = (outcome: string): void => {
    trace.note(`${what}: ${outcome}`);
    const kind = `${what.split(' ')[0] ?? what} ${outcome}`;
    history.counts.set(kind, (history.counts.get(kind) ?? 0) + 1);
  };
  task().then(ended, (error: unknown) => {
    if (!PeerAiError.is(error))
      history.defects.push(`${what}: ${error instanceof Error ? (error.stack ?? error.message) : 'unknown'}`);
    ended(PeerAiError.is(error) ? error.code : 'DEFECT');
  });
}

async function lastOf(events: AsyncIterable<{ readonly type: string; readonly code?: string }>): Promise<string> {
  let last = 'nothing';
  for await (const event of events) last = event.type === 'error' ? (event.code ?? 'INTERNAL') : event.type;
  return last;
}

function pair(scene: Scene): void {
  const found = two(scene);
  if (found === undefined) return;
  const [inviter, joiner] = found;
  if (knows(inviter, joiner) && knows(joiner, inviter)) return;
  const isRejected = scene.dice.chance(0.1);
  const thinkMs = scene.dice.below(20_000);
  const what = `pair ${inviter.name} ${joiner.name}`;
  spawn(scene, what, async () => {
    const [host, guest] = [inviter.peer, joiner.peer];
    const { link } = await host.pairing.invite(['chat', 'tasks']);
    const { id } = await guest.pairing.join(link, never);
    await scene.world.clock.sleep(thinkMs);
    // The owner looks at whatever process runs then.
    const screen = inviter.peer as Peer | undefined;
    if (screen === undefined) return 'owner away';
    const { state } = await (isRejected ? screen.pairing.reject(id) : screen.pairing.accept(id));
    if (state === 'accepted') scene.history.paired.add(`${inviter.name} ${joiner.name}`);
    return state;
  });
}

function message(scene: Scene): void {
  const found = two(scene);
  if (found !== undefined && knows(...found)) send(scene, ...found);
}

function send(scene: Scene, from: Alive, to: Alive): void {
  const text = `message ${scene.history.messages.size}`;
  const sent = { from: from.name, to: to.name, acknowledged: false };
  scene.history.messages.set(text, sent);
  spawn(scene, `message ${from.name} ${to.name}`, async () => {
    const { state } = await from.peer.messages.deliver(to.identity.peer, 'text', text);
    if (state === 'queued' || state === 'delivered') sent.acknowledged = true;
    return state;
  });
}

/** Several at once, so that there is an order to keep. */
function burst(scene: Scene): void {
  const found = two(scene);
  if (found === undefined || !knows(...found)) return;
  for (let count = 2 + scene.dice.below(4); count > 0; count -= 1) send(scene, ...found);
}

function delegate(scene: Scene): void {
  const found = two(scene);
  if (found === undefined || !knows(...found)) return;
  const [from, to] = found;
  const title = `task ${scene.history.tasks.size}`;
  const given = { from: from.name, to: to.name, acknowledged: false, runs: 0 };
  scene.history.tasks.set(title, given);
  spawn(scene, `delegate ${from.name} ${to.name}`, async () => {
    await from.peer.tasks.delegate({
      to: to.identity.peer,
      type: 'tally',
      title,
      description: title,
      priority: 'normal',
    });
    given.acknowledged = true;
    return 'given';
  });
}

function ask(scene: Scene): void {
  const found = two(scene);
  if (found === undefined) return;
  const [from, to] = found;
  if (!knows(from, to)) return;
  const model = scene.dice.pick(['echo', 'echo-slow', 'lorem-100', 'fail']);
  const stopping = new AbortController();
  const patienceMs = scene.dice.chance(0.2) ? scene.dice.below(1_000) : undefined;
  const request = {
    model: `${model}@${to.name}`,
    messages: [{ role: 'user' as const, text: 'how are you today my friend' }],
    maxTokens: 64,
  };
  spawn(scene, `ask ${from.name} ${to.name} ${model}`, () => lastOf(from.peer.chat.ask(request, stopping.signal)));
  if (patienceMs !== undefined) void scene.world.clock.sleep(patienceMs).then(() => stopping.abort());
}

function share(scene: Scene): void {
  const players = alive(scene);
  if (players.length === 0) return;
  const owner = scene.dice.pick(players);
  const wish = {
    model: scene.dice.pick(['echo', 'echo-slow', 'lorem-100']),
    tokens: 40 + scene.dice.below(300),
    guests: 1 + scene.dice.below(3),
    concurrency: 1 + scene.dice.below(2),
  };
  spawn(scene, `share ${owner.name}`, async () => {
    const { id } = await owner.peer.sharing.create(wish);
    scene.history.shares.set(id, { owner: owner.name, stopped: false });
    return 'made';
  });
}

function stopShare(scene: Scene): void {
  const open = [...scene.history.shares].filter(([, { stopped }]) => !stopped);
  if (open.length === 0) return;
  const [id, one] = scene.dice.pick(open);
  const owner = alive(scene).find(({ name }) => name === one.owner);
  if (owner === undefined) return;
  spawn(scene, `stop ${owner.name}`, async () => {
    await owner.peer.sharing.stop(id);
    one.stopped = true;
    return 'stopped';
  });
}

async function visit(scene: Scene): Promise<void> {
  const owners = alive(scene).filter(({ peer }) => peer.sharing.list().length > 0);
  if (owners.length === 0 || scene.world.visitors.length >= 12) return;
  const owner = scene.dice.pick(owners);
  const { link } = scene.dice.pick(owner.peer.sharing.list());
  const visitor = await scene.world.visit(owner, link);
  spawn(scene, `visit ${owner.name}`, async () => {
    await visitor.guest.connect(never);
    return 'connected';
  });
}

function guestAsk(scene: Scene): void {
  if (scene.world.visitors.length === 0) return;
  const visitor = scene.dice.pick(scene.world.visitors);
  const text = 'words '.repeat(1 + scene.dice.below(12)).trim();
  const maxTokens = 4 + scene.dice.below(60);
  spawn(scene, `guest-ask ${visitor.name}`, () =>
    lastOf(visitor.guest.ask([{ role: 'user', text }], { maxTokens }, never)),
  );
}

function weather(scene: Scene, isCut: boolean): void {
  const { players, visitors, networks } = scene.world;
  const ids = [...players, ...visitors, scene.world.relay].map(({ identity }) => identity.peer);
  const one = scene.dice.pick(ids);
  const other = scene.dice.pick(ids);
  if (one === other) return;
  if (isCut) networks.cut(one, other);
  else networks.heal(one, other);
}

/** Everybody is on one side or the other, and nobody hears across. */
function partition({ world, dice }: Scene): void {
  const ids = [...world.players, ...world.visitors, world.relay].map(({ identity }) => identity.peer);
  const left = new Set(ids.filter(() => dice.chance(0.5)));
  for (const one of left) for (const other of ids) if (!left.has(other)) world.networks.cut(one, other);
}

function healAll({ world }: Scene): void {
  const ids = [...world.players, ...world.visitors, world.relay].map(({ identity }) => identity.peer);
  for (const one of ids) for (const other of ids) if (one !== other) world.networks.heal(one, other);
}

/** Mostly within what peers put up with between any two of them, sometimes far off. */
function drift({ world, dice }: Scene): void {
  const reachMs = dice.chance(0.2) ? 900_000 : 25_000;
  dice.pick([...world.players, ...world.visitors, world.relay]).clock.skewMs = dice.below(2 * reachMs) - reachMs;
}

async function killOne(scene: Scene): Promise<void> {
  const players = alive(scene);
  if (players.length > 0) await scene.world.kill(scene.dice.pick(players));
}

async function startOne(scene: Scene): Promise<void> {
  const dead = scene.world.players.filter(({ peer }) => peer === undefined);
  if (dead.length > 0) await scene.world.start(scene.dice.pick(dead));
}

async function turnRelay({ world }: Scene): Promise<void> {
  await (world.relay.isUp ? world.killRelay() : world.startRelay());
}

async function reload(scene: Scene): Promise<void> {
  const { visitors } = scene.world;
  if (visitors.length > 0) await scene.world.reload(scene.dice.pick<Visitor>(visitors));
}

export const actions: readonly Action[] = [
  { name: 'pair', weight: 14, begin: pair },
  { name: 'message', weight: 12, begin: message },
  { name: 'burst', weight: 8, begin: burst },
  { name: 'delegate', weight: 6, begin: delegate },
  { name: 'ask', weight: 10, begin: ask },
  { name: 'share', weight: 4, begin: share },
  { name: 'visit', weight: 5, begin: visit },
  { name: 'guest-ask', weight: 12, begin: guestAsk },
  { name: 'stop', weight: 2, begin: stopShare },
  { name: 'cut', weight: 4, begin: (scene) => weather(scene, true) },
  { name: 'heal', weight: 6, begin: (scene) => weather(scene, false) },
  { name: 'partition', weight: 2, begin: partition },
  { name: 'heal-all', weight: 3, begin: healAll },
  { name: 'drift', weight: 3, begin: drift },
  { name: 'kill', weight: 4, begin: killOne },
  { name: 'start', weight: 8, begin: startOne },
  { name: 'relay', weight: 2, begin: turnRelay },
  { name: 'reload', weight: 3, begin: reload },
];
