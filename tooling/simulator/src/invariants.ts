import type { Player, Visitor } from './world.ts';
import type { Scene } from './actions.ts';
import { openReceipt, type UsageReceipt } from '@peerai/ledger';
import { toHex } from '@peerai/core-protocol';
import { nodeCrypto } from '@peerai/core-protocol/crypto-node';

/** What is wrong now, in words; nothing while all holds. Looks only at what may be asked at any moment. */
export function wrongNow({ world, history }: Scene): string | undefined {
  for (const player of world.players) {
    if (player.peer === undefined) continue;
    const views = player.peer.sharing.list();
    for (const { id, tokens, guests, guestsMax } of views) {
      if (tokens.used > tokens.budget)
        return `${player.name}: share ${id} used ${tokens.used} of ${tokens.budget} tokens`;
      if (tokens.used + tokens.reserved > tokens.budget)
        return `${player.name}: share ${id} holds more than its budget`;
      if (guests.length > guestsMax) return `${player.name}: share ${id} has ${guests.length} guests of ${guestsMax}`;
      const sum = guests.reduce((total, guest) => total + guest.tokensUsed, 0);
      if (sum !== tokens.used) return `${player.name}: share ${id} used ${tokens.used}, its guests ${sum}`;
    }
    for (const [id, { owner, stopped }] of history.shares) {
      if (owner !== player.name) continue;
      const view = views.find((one) => one.id === id);
      if (view === undefined) return `${player.name}: share ${id} was made and is gone`;
      if (stopped && view.state !== 'stopped') return `${player.name}: share ${id} was stopped and is ${view.state}`;
    }
    for (const pairing of history.paired) {
      const [inviter, joiner] = pairing.split(' ');
      if (
        inviter === player.name &&
        !knows(
          player,
          world.players.find(({ name }) => name === joiner),
        )
      )
        return `${player.name}: the pairing with ${joiner} is gone`;
    }
  }
  return history.defects[0] ?? wrongRuns(history) ?? wrongOrder(history);
}

/** A task whose handler may not be called again is done at most once, whatever dies. */
function wrongRuns({ tasks }: Scene['history']): string | undefined {
  for (const [title, { to, runs }] of tasks) if (runs > 1) return `${to}: "${title}" was done ${runs} times`;
  return undefined;
}

/** Between two peers messages come in the order in which they were sent, and none again. */
function wrongOrder({ arrivals, messages }: Scene['history']): string | undefined {
  for (const [to, texts] of arrivals) {
    const last = new Map<string, number>();
    for (const text of texts) {
      const from = messages.get(text)?.from ?? '';
      const number = Number(text.split(' ')[1]);
      if (number === last.get(from)) return `${to}: "${text}" of ${from} was handled twice`;
      if (number < (last.get(from) ?? -1)) return `${to}: "${text}" of ${from} came after "message ${last.get(from)}"`;
      last.set(from, number);
    }
  }
  return undefined;
}

/** What is wrong once every line is healed, everybody runs, and time has passed. */
export async function wrongAfterHealing(scene: Scene): Promise<string | undefined> {
  return (
    wrongNow(scene) ??
    (await wrongMessages(scene)) ??
    (await wrongTasks(scene)) ??
    (await wrongBooks(scene)) ??
    (await wrongCharges(scene))
  );
}

const knows = (one: Player, other: Player | undefined): boolean =>
  one.peer?.peers.list().some(({ peerId, kind }) => peerId === other?.identity.peer && kind === 'device') ?? false;

/** Acknowledged ones are there once; others at most once; nothing else is. */
async function wrongMessages({ world, history }: Scene): Promise<string | undefined> {
  const seen = new Map<string, number>();
  for (const { name, peer } of world.players) {
    for (const { payload } of (await peer?.messages.list()) ?? []) {
      const text = String(payload);
      if (history.messages.get(text)?.to !== name) return `${name}: got "${text}", which nobody sent to it`;
      seen.set(text, (seen.get(text) ?? 0) + 1);
    }
  }
  for (const [text, { from, to, acknowledged }] of history.messages) {
    const [sender, recipient] = [from, to].map((who) => world.players.find(({ name }) => name === who)) as [
      Player,
      Player,
    ];
    const count = seen.get(text) ?? 0;
    if (count > 1) return `${to}: "${text}" came ${count} times`;
    if (acknowledged && count === 0 && knows(sender, recipient) && knows(recipient, sender))
      return `${to}: "${text}" of ${from} was acknowledged and is lost`;
  }
  return undefined;
}

/** A task that was given has ended on both sides in the same way, and one that was done says so. */
async function wrongTasks({ world, history }: Scene): Promise<string | undefined> {
  for (const [title, { from, to, acknowledged, runs }] of history.tasks) {
    const [giver, doer] = [from, to].map((who) => world.players.find(({ name }) => name === who)) as [Player, Player];
    if (!acknowledged || !knows(giver, doer) || !knows(doer, giver)) continue;
    const given = giver.peer?.tasks.list().find((task) => task.direction === 'given' && task.title === title);
    if (given === undefined) return `${from}: "${title}" was given and is gone`;
    if (given.endedMs === null) return `${from}: "${title}" is still ${given.status}`;
    history.counts.set(`task ${given.status}`, (history.counts.get(`task ${given.status}`) ?? 0) + 1);
    if (given.status === 'completed' && runs === 0) return `${from}: "${title}" is completed and nobody did it`;
    const taken = doer.peer?.tasks.list().find((task) => task.direction === 'taken' && task.title === title);
    if (taken !== undefined && taken.status !== given.status)
      return `${from}: "${title}" is ${given.status}, ${to} says ${taken.status}`;
  }
  return undefined;
}

/** Every log verifies, and what both sides signed stands in both logs. */
async function wrongBooks({ world }: Scene): Promise<string | undefined> {
  const given = new Set<string>();
  const taken = new Set<string>();
  for (const player of world.players) {
    const { ok, firstBad } = (await player.peer?.books.verify()) ?? { ok: true, firstBad: undefined };
    if (!ok) return `${player.name}: its log does not verify at ${firstBad?.index}: ${firstBad?.reason}`;
    for (const receipt of await receiptsOf(player))
      (receipt.provider === player.identity.peer ? given : taken).add(factsOf(receipt));
  }
  for (const visitor of world.visitors) for (const receipt of await receiptsOf(visitor)) taken.add(factsOf(receipt));
  for (const facts of taken) if (!given.has(facts)) return `only the asker's log has ${facts}`;
  for (const facts of given) if (!taken.has(facts)) return `only the answerer's log has ${facts}`;
  return undefined;
}

type Facts = Pick<UsageReceipt, 'provider' | 'consumer' | 'n' | 'requestId' | 'promptTokens' | 'answerTokens'> & {
  readonly lease: string;
};
const factsOf = ({ provider, consumer, lease, n, requestId, promptTokens, answerTokens }: Facts): string =>
  `receipt ${n} of ${provider.slice(-6)} to ${consumer.slice(-6)} under ${lease}: ${requestId} ${promptTokens}+${answerTokens}`;

async function receiptsOf(who: Player | Visitor): Promise<readonly Facts[]> {
  if ('guest' in who) {
    const all = await who.guest.receipts();
    return all
      .map((bytes) => openReceipt(nodeCrypto, bytes).receipt)
      .map((receipt) => ({ ...receipt, lease: toHex(receipt.lease) }));
  }
  const size = (await who.peer?.books.head())?.size ?? 0;
  const { entries } = (await who.peer?.books.entries({ from: 0, limit: size })) ?? { entries: [] };
  return entries.flatMap(({ receipt }) =>
    receipt === undefined
      ? []
      : [
          {
            ...receipt,
            provider: receipt.provider as Facts['provider'],
            consumer: receipt.consumer as Facts['consumer'],
          },
        ],
  );
}

/** What a share says was used is what its guests signed for. */
async function wrongCharges({ world }: Scene): Promise<string | undefined> {
  for (const player of world.players) {
    const receipts = await receiptsOf(player);
    for (const { id, tokens } of player.peer?.sharing.list() ?? []) {
      const signed = receipts
        .filter(({ lease }) => lease === id)
        .reduce((sum, { promptTokens, answerTokens }) => sum + promptTokens + answerTokens, 0);
      if (signed !== tokens.used)
        return `${player.name}: share ${id} charged ${tokens.used} tokens, its guests signed for ${signed}`;
    }
  }
  return undefined;
}
