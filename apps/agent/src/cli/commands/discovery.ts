import type { CensusView, CrawlView, FoundView } from '@peerai/peer/control';
import { command } from '../command.ts';
import { table } from '../plain.ts';

const shortId = (peerId: string): string => `…${peerId.slice(-8)}`;

export const find = command(
  'find',
  'Peers that say they serve a model, strangers too: from their signed records',
  { model: { type: 'positional', required: true, description: 'Name of the model, such as mistral' } } as const,
  async ({ args, agent, output, signal }) => {
    const { peers } = await (await agent()).client.findPeers({ model: args.model }, signal);
    output.data({ model: args.model, peers }, () =>
      peers.length === 0
        ? `Nobody says that it serves ${args.model}. \`peerai models ls\` lists what your devices have; \`network.discovery.dht\` and \`.pex\` find more peers.`
        : table([['PEER', 'NAME', 'PROGRAM', 'MODELS', 'ADDRESS'], ...peers.map(foundRow)]),
    );
  },
);

function foundRow({ peerId, name, agent, models, addresses, paired }: FoundView['peers'][number]): string[] {
  return [
    shortId(peerId),
    `${name === '' ? '-' : name}${paired ? ' (paired)' : ''}`,
    agent,
    models.join(', '),
    addresses[0] ?? '-',
  ];
}

export const crawl = command(
  'crawl',
  'Walk from peer to peer and list who is there; takes up to a minute',
  {},
  async ({ agent, output, signal }) => {
    const { peers } = await (await agent()).client.crawl(signal);
    output.data({ peers }, () =>
      peers.length === 0
        ? 'No other peer is known.'
        : table([['PEER', 'STATE', 'PROGRAM', 'HEARD', 'TOLD', 'ADDRESS'], ...peers.map(crawledRow)]),
    );
  },
);

export const census = command(
  'census',
  'Who is around this peer, counted: ways, regions, versions, ciphers, reputation, coming and going',
  {},
  async ({ agent, output, signal }) => {
    const view = await (await agent()).client.census(signal);
    output.data(view, () => censusText(view));
  },
);

function censusText({
  devices,
  online,
  others,
  networks,
  regions,
  versions,
  ciphers,
  meanReputation,
  churn,
}: CensusView): string {
  const words = (counts: CensusView['networks']): string =>
    counts.map(({ name, peers }) => `${name} ${peers}`).join(', ') || '-';
  return table([
    ['devices', `${devices}, ${online} here; ${others} others`],
    ['ways', words(networks)],
    ['regions', words(regions)],
    ['versions', words(versions)],
    ['ciphers', words(ciphers)],
    ['reputation', meanReputation === null ? '-' : `${meanReputation.toFixed(2)} on average`],
    ['last hour', `${churn.came} came, ${churn.went} went`],
  ]);
}

const heard = { link: 'linked', record: 'by a peer', dht: 'by the DHT' } as const;

function crawledRow({ peerId, state, agent, via, told, addresses }: CrawlView['peers'][number]): string[] {
  return [shortId(peerId), state, agent === '' ? '-' : agent, heard[via], `${told}`, addresses[0] ?? '-'];
}
