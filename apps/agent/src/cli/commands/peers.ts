import { PeerAiError } from '@peerai/core-protocol';
import {
  type ControlClient,
  type OlderPeerView,
  type PeerPatch,
  type PeerView,
  type PendingPairing,
  type Permission,
  permissions,
} from '@peerai/peer/control';
import { command, type Verb } from '../command.ts';
import { table } from '../plain.ts';
import { ago, linkWords, shortId } from '../words.ts';
import { trace } from './paths.ts';
import { reasonRows, reputation } from './reputation.ts';

const who = { peer: { type: 'positional', required: true, description: 'Name or peer id' } } as const;
const ls = command('ls', 'Paired devices, guests and relays', {}, async ({ agent, output, signal }) => {
  const { client } = await agent();
  const [peers, { pending }, older] = await Promise.all([
    client.peers(signal),
    client.pairings(signal),
    client.olderPeers(signal),
  ]);
  const waiting = pending.filter(({ state, direction }) => state === 'waiting' && direction === 'incoming');
  output.data({ peers, pending: waiting, older }, () => {
    const byHttp = older.length === 0 ? [] : [`${peers.length === 0 ? '' : '\n'}${olderTable(older)}`];
    if (peers.length === 0 && waiting.length === 0 && older.length === 0)
      return 'Nobody yet. Let a device in: peerai invite';
    const rows = peers.map((peer) => [
      peer.name,
      peer.kind,
      linkWords(peer),
      peer.roundTripMs === null ? ago(peer.lastSeenMs) : `${Math.round(peer.roundTripMs)} ms`,
      peer.models.join(',') || '-',
      shortId(peer.peerId),
    ]);
    const asks = waiting.map(
      ({ name, emoji, id }) =>
        `"${name}" wants to join: ${emoji.join(' ')}  → peerai peers accept ${id}   or   reject ${id}`,
    );
    const devices = rows.length === 0 ? [] : [table([['NAME', 'KIND', 'PATH', 'SEEN', 'MODELS', 'ID'], ...rows])];
    return [...devices, ...asks, ...byHttp].join('\n');
  });
});

/** Older implementations, by HTTP alone. */
const olderTable = (older: readonly OlderPeerView[]): string =>
  table([
    ['OLDER PEER', 'PROFILE', 'MAY', 'SEEN', 'TROUBLE', 'ADDRESS', 'ID'],
    ...older.map(({ name, profile, url, allow: may, peerId, seenMs, trouble }) => [
      name,
      profile,
      may.join(', ') || 'messages',
      seenMs === null ? '-' : ago(seenMs),
      trouble ?? '-',
      url ?? '-',
      shortId(peerId),
    ]),
  ]);

const show = command('show', 'Everything known of one peer', who, async ({ args, agent, output, signal }) => {
  const { client } = await agent();
  const peer = await one(client, args.peer, signal);
  const known = peer.kind === 'device' ? (await client.reputation(peer.peerId, signal)).reputation : undefined;
  output.data({ peer, ...(known === undefined ? {} : { reputation: known }) }, () =>
    table([
      ['name', peer.name],
      ['state', linkWords(peer)],
      ['fingerprint', `${peer.fingerprint.emoji.join(' ')}  ${peer.fingerprint.words.join(' ')}`],
      ['peer id', peer.peerId],
      ['may', peer.allow.join(', ') || 'nothing'],
      ['offers', peer.models.join(', ') || 'nothing'],
      ['health', healthOf(peer)],
      ['sealed', sealedOf(peer)],
      ['address', peer.address ?? '-'],
      ...(peer.trouble === undefined ? [] : [['trouble', `${peer.trouble.reason} ${peer.trouble.remedy}`]]),
      ['bytes', `${peer.bytesSent} sent, ${peer.bytesReceived} received`],
      ['paired', peer.pairedMs === null ? 'no' : ago(peer.pairedMs)],
      ...(known === undefined ? [] : reasonRows(known)),
    ]),
  );
});

const sealedOf = ({ hybrid }: PeerView): string =>
  hybrid === undefined ? '-' : hybrid ? 'X25519 and ML-KEM-768' : 'X25519 alone, by the link: not post-quantum';

function healthOf({ health, report }: PeerView): string {
  if (health === null) return '-';
  if (report === null) return health;
  const { state, answering, waiting, tasksRunning, tasksWaiting } = report;
  return `${health}, ${state}: ${answering} answers, ${waiting} wait; ${tasksRunning} tasks, ${tasksWaiting} wait`;
}

const patch = (name: string, description: string, of: PeerPatch, done: string) =>
  command(name, description, who, async ({ args, agent, output }) => {
    const { client } = await agent();
    const peer = await client.changePeer((await one(client, args.peer)).peerId, of);
    output.data({ peer }, () => `${peer.name} ${done}`);
  });

const unblock = command(
  'unblock',
  'Let a blocked device back in, and one that is refused for what it did',
  who,
  async ({ args, agent, output }) => {
    const { client } = await agent();
    const known = (await client.peers()).some(({ name, peerId }) => name === args.peer || peerId === args.peer);
    // Who was a device once, and is refused, is known by its id alone.
    if (!known) {
      const found = await client.letIn(args.peer);
      output.data(found, () => `${found.reputation.name} may connect again.`);
      return;
    }
    const { peerId } = await one(client, args.peer);
    const peer = await client.changePeer(peerId, { blocked: false });
    const found = await client.letIn(peerId);
    output.data({ peer, reputation: found.reputation }, () => `${peer.name} may connect again.`);
  },
);

const rename = command(
  'rename',
  'Call a device something else',
  { ...who, name: { type: 'positional', required: true, description: 'New name' } } as const,
  async ({ args, agent, output }) => {
    const { client } = await agent();
    const peer = await client.changePeer((await one(client, args.peer)).peerId, { name: args.name });
    output.data({ peer }, () => `Now called ${peer.name}.`);
  },
);

const allow = command(
  'allow',
  'What a device may do here; an older peer: tasks or none',
  { ...who, rights: { type: 'positional', required: true, description: `${permissions.join(',')} or none` } } as const,
  async ({ args, agent, output }) => {
    const { client } = await agent();
    const rights = args.rights === 'none' ? [] : args.rights.split(',');
    const unknown = rights.find((right) => !permissions.some((known) => known === right));
    if (unknown !== undefined)
      throw new PeerAiError('USAGE', `rights are ${permissions.join(', ')} or none, not "${unknown}"`);
    const older = await olderOne(client, args.peer);
    if (older !== undefined) {
      if (rights.some((right) => right !== 'tasks'))
        throw new PeerAiError('USAGE', `${older.name} is an older peer: its rights are tasks or none`);
      const now = await client.changeOlderPeer(older.name, { allow: rights as 'tasks'[] });
      output.data({ older: now }, () => `${now.name} may: ${now.allow.join(', ') || 'send messages only'}.`);
      return;
    }
    const peer = await client.changePeer((await one(client, args.peer)).peerId, { allow: rights as Permission[] });
    output.data({ peer }, () => `${peer.name} may: ${peer.allow.join(', ') || 'nothing'}.`);
  },
);

const rm = command('rm', 'Forget a device; it must be invited again', who, async ({ args, agent, output }) => {
  const { client } = await agent();
  const peer = await one(client, args.peer);
  await client.removePeer(peer.peerId);
  output.data({ removed: peer.peerId }, () => `Forgot ${peer.name}.`);
});

const ping = command('ping', 'Round trip of one question', who, async ({ args, agent, output, signal }) => {
  const { client } = await agent();
  const answer = await client.ping((await one(client, args.peer)).peerId, signal);
  output.data(answer, () => `${answer.roundTripMs.toFixed(1)} ms · ${answer.path}`);
});

/** `peerai ping` is `peerai peers ping`. */
export const pingVerb: Verb = { run: ping };

/** As people copy it: pictures, words or digits, with or without what stands between them. */
const bare = (text: string): string => text.toLowerCase().replaceAll(/[\s,:·-]+/gu, '');

const verify = command(
  'verify',
  'Is it the device you think? Compare its key with what it shows itself',
  {
    ...who,
    fingerprint: {
      type: 'positional',
      required: false,
      description: 'What `peerai key show` prints over there, in quotes',
    },
  } as const,
  async ({ args, agent, output, signal }) => {
    const peer = await one((await agent()).client, args.peer, signal);
    const { emoji, words, hex } = peer.fingerprint;
    const given = args.fingerprint ?? '';
    if (given === '') {
      output.data({ peer: { name: peer.name, peerId: peer.peerId, fingerprint: peer.fingerprint } }, () =>
        table([
          ['emoji', emoji.join(' ')],
          ['words', words.join(' ')],
          ['hex', hex],
        ]),
      );
      output.note(`It must be the same as what \`peerai key show\` prints on ${peer.name}.`);
      return;
    }
    const same = [emoji.join(''), words.join(''), hex].some((form) => bare(form) === bare(given));
    if (!same) {
      throw new PeerAiError('FINGERPRINT_WRONG', `this is not the fingerprint of ${peer.name}`, {
        hint: `It may be somebody else: peerai peers block ${peer.name}`,
      });
    }
    output.data({ verified: peer.peerId, name: peer.name }, () => `✓ ${peer.name} is the device with this key.`);
  },
);

const decide = (name: 'accept' | 'reject', description: string) =>
  command(
    name,
    description,
    { id: { type: 'positional', required: true, description: 'Id from `peerai peers ls`, or its beginning' } } as const,
    async ({ args, agent, output }) => {
      const { client } = await agent();
      const id = await waitingId(client, args.id);
      const pairing = await (name === 'accept' ? client.acceptPairing(id) : client.rejectPairing(id));
      const said = name === 'accept' ? await pairedText(client, pairing) : `Refused "${pairing.name}".`;
      output.data({ pairing }, () => said);
    },
  );

/** The id that begins so; what fits none or several goes to the agent as it is, which says so. */
async function waitingId(client: ControlClient, text: string): Promise<string> {
  const { pending } = await client.pairings();
  const fits = pending.filter(({ id, state }) => state === 'waiting' && text !== '' && id.startsWith(text));
  return fits.length === 1 ? (fits[0]?.id ?? text) : text;
}

/** Who came in, and what it is called here: another device may have its name already. */
export async function pairedText(client: ControlClient, { name, peerId }: PendingPairing): Promise<string> {
  const here = (await client.peers()).find((peer) => peer.peerId === peerId && peer.kind === 'device')?.name ?? name;
  return here === name ? `Paired with "${name}".` : `Paired with "${name}"; it is called ${here} here.`;
}

/** An older peer of this name, where no device has it. */
async function olderOne(client: ControlClient, text: string): Promise<OlderPeerView | undefined> {
  const [devices, older] = await Promise.all([client.peers(), client.olderPeers()]);
  return devices.some(({ name }) => name === text) ? undefined : older.find(({ name }) => name === text);
}

export async function one(client: ControlClient, text: string, signal?: AbortSignal): Promise<PeerView> {
  const peers = await client.peers(signal);
  const found = peers.filter(
    ({ peerId, name }) => peerId === text || name === text || (text.length >= 6 && peerId.endsWith(text)),
  );
  const [peer] = found;
  if (peer === undefined)
    throw new PeerAiError('DEVICE_UNKNOWN', `nobody is called "${text}"`, {
      hint: '`peerai peers ls` shows the names.',
    });
  if (found.length > 1)
    throw new PeerAiError('DEVICE_UNKNOWN', `${found.length} peers fit "${text}"; use the whole id`);
  return peer;
}

export const peers: Verb = {
  run: ls,
  subs: {
    ls,
    show,
    verify,
    rename,
    allow,
    block: patch('block', 'Cut a device off at once', { blocked: true }, 'is blocked.'),
    unblock,
    rm,
    ping,
    trace,
    reputation,
    accept: decide('accept', 'The emoji match: let the waiting device in'),
    reject: decide('reject', 'They do not match: refuse it'),
  },
};
