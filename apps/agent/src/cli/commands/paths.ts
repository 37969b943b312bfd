import type { NetView, TraceView } from '@peerai/peer/control';
import { command, type Verb } from '../command.ts';
import { plain, table } from '../plain.ts';
import { census, crawl } from './discovery.ts';

type Trouble = NonNullable<TraceView['trouble']>;

const remedyLines = ({ reason, remedy, command: fix }: Trouble): string =>
  [reason, remedy, ...(fix === undefined ? [] : [`$ ${fix}`])].map((line) => `    ${line}`).join('\n');

/** One line for each address: its steps with their times, the failed one with its code. */
function traceLines({ steps }: TraceView): string {
  const byAddress = Map.groupBy(steps, ({ address }) => address);
  const rows = [...byAddress].map(([address, ofAddress]) => {
    const failed = ofAddress.find(({ code }) => code !== 'OK');
    const done = ofAddress.map(({ step, code, tookMs }) => {
      const took = tookMs === undefined ? '' : ` ${Math.round(tookMs)} ms`;
      return code === 'OK' ? `${step}${took}` : `${step} ${code}${took}`;
    });
    return [
      `${failed === undefined ? '✓' : '⊗'} ${address === '' ? 'the peer itself' : withoutIds(address)}`,
      done.join(' → '),
    ];
  });
  return table(rows);
}

/** Ids are long and say nothing to people; `--json` has them. */
const withoutIds = (address: string): string => address.replaceAll(/\/p2p\/[^/]+/gu, '');

export const trace = command(
  'trace',
  'Try every way to a device now, and say at which step each fails',
  { peer: { type: 'positional', required: true, description: 'Name or peer id' } } as const,
  async ({ args, agent, output, signal }) => {
    const view = await (await agent()).client.trace(args.peer, signal);
    output.data(view, () => {
      const verdict = view.reached ? `✓ ${view.name} answers.` : `⊗ ${view.name} is not reached.`;
      const trouble = view.trouble === null ? [] : [plain(remedyLines(view.trouble))];
      return [traceLines(view), plain(verdict), ...trouble].filter((line) => line !== '').join('\n');
    });
    if (!view.reached) process.exitCode = 4;
  },
);

const scopes = { public: 'anybody', relayed: 'through a relay', lan: 'this network', machine: 'this machine' } as const;

export const net: Verb = {
  run: command('net', 'Who can reach this peer, and how', {}, async ({ agent, output, signal }) => {
    const view = await (await agent()).client.net(signal);
    output.data(view, () => netLines(view));
  }),
  subs: { census, crawl },
};

const states = { reachable: '✓ a relay dialled it', unreachable: '⊗ a relay could not dial it', unknown: '' } as const;
const routers = {
  none: 'no router changes our address',
  same: 'the router gives us one port towards all: direct links can be found',
  differs: 'the router gives us another port towards each: direct links cannot be found',
} as const;

function netLines({ reachability, observed, relays }: NetView): string {
  const seen = observed.map(({ address, seenBy }) => [`seen as`, address, `by ${seenBy}`]);
  const { nat, addresses } = reachability;
  const rows = addresses.map(({ address, scope, state }) => [
    'dial at',
    withoutIds(address),
    scopes[scope],
    states[state],
  ]);
  const servers = (nat?.stunServers ?? []).map(({ server, seenAs }) => [
    'stun',
    server,
    seenAs === null ? 'does not answer' : `sees us as ${seenAs}`,
  ]);
  const turns = (nat?.turnServers ?? []).map((server) => ['turn', server, 'used where no direct link is found']);
  const router = nat?.mapping === null || nat === null ? [] : [['router', routers[nat.mapping]]];
  const places = relays.map(({ address, state, from, hasPlace }) => [
    'relay',
    withoutIds(address),
    `${hasPlace ? 'has a place for this peer' : state === 'connected' ? 'gave no place' : 'does not answer'}${from === 'group' ? ', named by a group' : ''}`,
  ]);
  const troubles = relays.flatMap(({ trouble }) => (trouble === undefined ? [] : [plain(remedyLines(trouble))]));
  return [reachability.text, table([...rows, ...places, ...seen, ...servers, ...turns, ...router]), ...troubles]
    .filter((line) => line !== '')
    .join('\n');
}
