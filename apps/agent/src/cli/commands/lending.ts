import { writeFileSync } from 'node:fs';
import { fromBase64Url, PeerAiError, toBase64Url } from '@peerai/core-protocol';
import type { LeaseDetail, LeaseView, LendingView, NodesView } from '@peerai/peer/control';
import { command, type Verb } from '../command.ts';
import { openFile } from '../open-file.ts';
import { table } from '../plain.ts';
import { creditsOf, readData, wholeOf } from '../read-data.ts';
import { ago, counted, creditsText } from '../words.ts';
import { dispute, evidence } from './lending-disputes.ts';
import { unlessDone } from './evidence-file.ts';
import { leaseTable } from './settlement.ts';
import { one } from './peers.ts';

const idChars = 12;

const lendOwn = command(
  'lend',
  'Lend nodes to paired devices with the right `borrow`',
  {
    nodes: { type: 'string', valueHint: 'N', description: 'Gating nodes lent at once' },
    each: { type: 'string', valueHint: 'N', description: 'Of them to one device; half unless said' },
    everywhere: {
      type: 'string',
      valueHint: 'N',
      description: 'To one device, here and at paired lenders that say --everywhere too',
    },
    price: { type: 'string', valueHint: 'C', description: 'Credits for a node and an hour; 0.5 unless said' },
    'minutes-max': { type: 'string', valueHint: 'M', description: 'Longest lease; 60 unless said' },
    off: { type: 'boolean', description: 'Lend no more; leases under way go on to their end' },
  } as const,
  async ({ args, agent, output, signal }) => {
    const price = args.price === undefined ? undefined : creditsOf('price', args.price);
    const { client } = await agent();
    if (args.off === true) {
      const lending = await client.stopLending();
      output.data(lending, () => 'This peer lends no nodes.');
      return;
    }
    const { nodes, each, everywhere, 'minutes-max': minutes } = args;
    if (nodes === undefined) {
      if (each !== undefined || everywhere !== undefined || price !== undefined || minutes !== undefined)
        throw new PeerAiError('USAGE', 'say how many: peerai lend --nodes 64');
      const lending = await client.lending(signal);
      output.data(lending, () => lendingText(lending));
      return;
    }
    const lending = await client.lend({
      nodes: wholeOf('nodes', nodes),
      ...(each === undefined ? {} : { each: wholeOf('each', each) }),
      ...(everywhere === undefined ? {} : { everywhere: wholeOf('everywhere', everywhere) }),
      ...(price === undefined ? {} : { credits: price }),
      ...(minutes === undefined ? {} : { minutesMax: wholeOf('minutes-max', minutes) }),
    });
    output.note('Devices need the right: peerai peers allow <peer> chat,borrow');
    output.data(lending, () => lendingText(lending));
  },
);
export const lend: Verb = { run: lendOwn };

const free = command(
  'free',
  'Devices with free nodes, by what they measured themselves',
  { peer: { type: 'positional', required: false, description: 'Only this device: name or peer id' } } as const,
  async ({ args, agent, output, signal }) => {
    const { client } = await agent();
    const only = args.peer === undefined ? undefined : (await one(client, args.peer, signal)).peerId;
    const all = await client.freeNodes(signal);
    const isMeant = ({ peerId }: { readonly peerId: string }): boolean => only === undefined || only === peerId;
    const found = { ...all, peers: all.peers.filter(isMeant), unanswered: all.unanswered.filter(isMeant) };
    for (const { name, code, message } of found.unanswered)
      if (code !== 'REFUSED') output.note(`${name} did not say: ${message}`);
    for (const { name, why } of found.peers.filter(({ isFree }) => !isFree)) output.note(`${name}: ${why.join(', ')}`);
    output.data(found, () => freeText(found));
  },
);
export const nodes: Verb = { run: free, subs: { free } };

const borrowNodes = command(
  'borrow',
  'Run a gating cluster on a device’s nodes, and have it back',
  {
    peer: { type: 'positional', required: true, description: 'Name or peer id' },
    minutes: {
      type: 'string',
      valueHint: 'M',
      description: 'How long at the most; 1 unless said. What is not used is not paid',
    },
    price: { type: 'string', valueHint: 'C', description: 'Credits for a node and an hour, at the most' },
    cluster: { type: 'string', valueHint: 'FILE', description: 'A saved cluster; a new one unless said' },
    nodes: { type: 'string', valueHint: 'N', description: 'Nodes of a new cluster; 8 unless said' },
    seed: { type: 'string', valueHint: 'S', description: 'Seed of a new cluster; 1 unless said' },
    data: {
      type: 'string',
      valueHint: 'JSON|@FILE',
      description: 'Vectors, such as [[0.5,1],[1,0]]; a wave of 64 unless said',
    },
    save: { type: 'string', valueHint: 'FILE', description: 'Write the cluster that comes back to a file' },
  } as const,
  async ({ args, agent, output, signal }) => {
    const { peer, minutes = '1', cluster, save } = args;
    const price = args.price === undefined ? undefined : creditsOf('price', args.price);
    if (cluster !== undefined && (args.nodes !== undefined || args.seed !== undefined))
      throw new PeerAiError('USAGE', 'a saved cluster has its nodes and seed already');
    const vectors = args.data === undefined ? wave() : vectorsOf(readData(args.data));
    const { client } = await agent();
    output.progress(`${counted(vectors.length, 'vector', 'vectors')} on nodes of ${peer} …`);
    const done = await client.borrow(
      {
        peer,
        minutes: wholeOf('minutes', minutes),
        ...(price === undefined ? {} : { creditsMax: price }),
        cluster:
          cluster === undefined
            ? { nodes: wholeOf('nodes', args.nodes ?? '8'), seed: wholeOf('seed', args.seed ?? '1') }
            : { state: await savedState(cluster) },
        vectors,
      },
      signal,
    );
    output.progress('');
    if (save !== undefined) writeFileSync(save, fromBase64Url(done.result?.state ?? ''));
    output.data(done, () => `${doneText(done)}${save === undefined ? '' : `\nThe cluster is in ${save}.`}`);
  },
);
const ls = command('ls', 'Leases given and taken, newest first', {} as const, async ({ agent, output, signal }) => {
  const { client } = await agent();
  const [found, all] = [await client.leases(signal), (await client.market(signal)).deposits];
  const deposits = all.filter(({ of }) => of === 'node');
  output.data({ ...found, deposits }, () => {
    if (found.leases.length === 0) return 'No lease yet. Who lends: peerai nodes free';
    const head = ['ID', 'ROLE', 'PEER', 'STATE', 'NODES', 'STEPS', 'PRICE', 'PAID', 'WHEN'];
    return leaseTable(head, found.leases, rowOf, deposits);
  });
});
const show = command(
  'show',
  'One lease, and what came of it',
  { id: { type: 'positional', required: true, description: 'Id from `peerai leases`, or its beginning' } } as const,
  async ({ args, agent, output, signal }) => {
    const found = await (await agent()).client.lease(args.id, signal);
    output.data(found, () => doneText(found));
  },
);
const end = command(
  'end',
  'Give borrowed nodes back, or take lent ones back; what both signed stays paid',
  { id: { type: 'positional', required: true, description: 'Id from `peerai leases`, or its beginning' } } as const,
  async ({ args, agent, output }) => {
    const { client } = await agent();
    const found = await unlessDone(client.giveBackNodes(args.id), () => client.lease(args.id));
    output.data(found, () => doneText(found));
  },
);
export const borrow: Verb = { run: borrowNodes };
export const leases: Verb = { run: ls, subs: { ls, show, end, dispute, evidence } };

/** Two numbers each, a wave and the same later: something to try it with. */
const wave = (): number[][] =>
  Array.from({ length: 64 }, (_, step) =>
    [Math.sin(step / 4), Math.sin(step / 4 + 1)].map((value) => Number(value.toFixed(3))),
  );

function vectorsOf(value: unknown): number[][] {
  const isVector = (one: unknown): one is number[] => Array.isArray(one) && one.every(Number.isFinite);
  if (Array.isArray(value) && value.length > 0 && value.every(isVector)) return value;
  throw new PeerAiError('USAGE', '--data is a list of lists of numbers, such as [[0.5,1],[1,0]]');
}

async function savedState(path: string): Promise<string> {
  const file = await openFile(path);
  return toBase64Url(new Uint8Array(await file.arrayBuffer()));
}

const percent = (share: number | null): string => (share === null ? '-' : `${Math.round(share * 100)} %`);

function lendingText({
  lending,
  nodes: all,
  free: left,
  each,
  everywhere,
  nodeHourMicro,
  minutesMax,
  ...measured
}: LendingView): string {
  if (!lending) return 'This peer lends no nodes. To lend some: peerai lend --nodes 64';
  return table([
    ['nodes', `${all}, ${left} free`],
    ['one device', `${each} at the most`],
    ...(everywhere === null ? [] : [['at all lenders', `${everywhere} at the most, of those that count together`]]),
    ['price', `${creditsText(nodeHourMicro)} credits for a node and an hour`],
    ['longest lease', counted(minutesMax, 'minute', 'minutes')],
    ['load', percent(measured.load)],
    ['processor', percent(measured.processor)],
    ['memory', percent(measured.memory)],
  ]);
}

function freeText({ peers }: NodesView): string {
  const some = peers.filter(({ isFree }) => isFree);
  if (some.length === 0) return 'No device has free nodes now.';
  const rows = some.map((one) => [
    one.name,
    `${one.free}`,
    creditsText(one.nodeHourMicro),
    percent(one.load),
    percent(one.processor),
    percent(one.memory),
    `${Math.round(one.agoMs / 1_000)} s ago`,
  ]);
  return table([['PEER', 'FREE', 'CREDITS/H', 'LOAD', 'PROCESSOR', 'MEMORY', 'MEASURED'], ...rows]);
}

const rowOf = (lease: LeaseView): string[] => [
  lease.id.slice(0, idChars),
  lease.role,
  lease.peerName,
  lease.state,
  `${lease.nodes}`,
  `${lease.steps}`,
  creditsText(lease.priceMicro),
  creditsText(lease.paidMicro),
  ago(lease.sinceMs),
];

function doneText({ lease, result }: LeaseDetail): string {
  const fired = result?.outputs.flat().filter((value) => value !== 0).length ?? 0;
  const gave = `${counted(lease.nodes, 'node', 'nodes')} of ${lease.peerName}`;
  return [
    `${counted(lease.steps, 'vector', 'vectors')} went through ${gave}, which fired ${counted(fired, 'time', 'times')}.`,
    `Held ${(lease.heldMs / 1_000).toFixed(1)} s, at work ${lease.busyMs} ms; ${lease.bytesIn} bytes there, ${lease.bytesOut} back.`,
    `Paid ${creditsText(lease.paidMicro)} of ${creditsText(lease.priceMicro)} credits. Lease ${lease.id.slice(0, idChars)} is ${lease.state}.`,
  ].join('\n');
}
