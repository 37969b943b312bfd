import type { ConnectionCode, ConnectionStep, StepTrace } from '@peerai/core-protocol';

/** What a failed step means and what helps, for people. */
export interface Remedy {
  /** What happened, one sentence. */
  readonly reason: string;
  /** What to do, one sentence. */
  readonly remedy: string;
  /** The command that does it, or shows more. */
  readonly command?: string;
}
/** Whom it is about, as people call it. */
interface About {
  readonly name: string;
  /** Where it was tried, shortened for people; absent where no one address is meant. */
  readonly at?: string;
}

const startIt = ({ name }: About): string => `Start it on ${name}, and see there that it listens.`;

/** The one table of it: each code a step of a connection may end with. */
const table: Readonly<Record<Exclude<ConnectionCode, 'OK'>, (about: About) => Remedy>> = {
  ADDRESS_INVALID: ({ at }) => ({
    reason: `The address ${at ?? ''} is none that this peer can dial.`,
    remedy: 'Correct it where it is written: a multiaddr such as /ip4/192.0.2.1/tcp/4001.',
    command: 'peerai config get network',
  }),
  ADDRESS_OF_ANOTHER: ({ name, at }) => ({
    reason: `The address ${at ?? ''} names another peer than ${name}.`,
    remedy: `Pair with ${name} again, so that its own addresses are known.`,
    command: 'peerai invite',
  }),
  BLOCKED_HERE: ({ name }) => ({
    reason: `${name} is refused here: you blocked it, or for what is known of it.`,
    remedy: `\`peerai peers show ${name}\` says which. Let it in again if that is over; one that was proven to have two histories of its log: \`peerai ledger pardon ${name}\`.`,
    command: `peerai peers unblock ${name}`,
  }),
  CLOCK_SKEW: ({ name }) => ({
    reason: `The clocks of this device and of ${name} are more than a minute apart, so each refuses what the other has signed as too old or too new.`,
    remedy: 'Set the clock on the one that is wrong; both should take their time from the network.',
    command: 'timedatectl set-ntp true',
  }),
  CLOSED_AFTER_HANDSHAKE: ({ name }) => ({
    reason: `${name} proved its key and then closed the connection without a word: it has probably blocked this device or forgotten it.`,
    remedy: `Look on ${name} whether this device is blocked there, or pair again.`,
    command: 'peerai key show',
  }),
  CONNECTION_LOST: ({ name }) => ({
    reason: `The connection to ${name} broke while it came up.`,
    remedy: 'Try again; if it breaks each time, a router or firewall on the way cuts it.',
    command: `peerai peers trace ${name}`,
  }),
  FULL_HERE: () => ({
    reason: 'This device has all the connections it may have.',
    remedy: 'Allow more of them, or end some.',
    command: 'peerai config explain network.max_connections',
  }),
  FULL_THERE: ({ name }) => ({
    reason: `${name} has all the connections it may have, or too many from this device.`,
    remedy: `Wait, or allow more on ${name}.`,
    command: 'peerai config explain network.max_connections',
  }),
  NAME_UNKNOWN: ({ at }) => ({
    reason: `The name in ${at ?? 'the address'} is not known: nothing answers for it, or names cannot be looked up here.`,
    remedy: 'Check the spelling, and whether this device has a network at all.',
    command: 'peerai net',
  }),
  NOBODY_LISTENS: (about) => ({
    reason: `The machine at ${about.at ?? 'its address'} is up and refuses the connection: nobody listens there.`,
    remedy: startIt(about),
    command: 'peerai up',
  }),
  NOT_A_PEER: ({ name, at }) => ({
    reason: `What listens at ${at ?? 'its address'} does not speak as ${name} does: another program has the port, or it is in a private network whose key this device does not have.`,
    remedy: `See on ${name} where it listens, and whether network.psk_file is set there.`,
    command: 'peerai config explain network.psk_file',
  }),
  NO_ADDRESS: ({ name }) => ({
    reason: `No address of ${name} is known.`,
    remedy: 'Give both the same relay, so that they find each other, or pair again.',
    command: 'peerai config explain network.relays',
  }),
  NO_ANSWER: ({ name, at }) => ({
    reason: `Nothing came back from ${at ?? name}: it is off or asleep, a firewall drops the packets, or the address is an old one.`,
    remedy: `Start ${name} or wake it; if it runs, open its port in the firewall or give both the same relay.`,
    command: `peerai peers trace ${name}`,
  }),
  NO_DIRECT_PATH: ({ name }) => ({
    reason: `No direct path to ${name} opened: both stand behind routers that do not let each other in.`,
    remedy: 'The link stays with the relay; forward a port on one of the routers and say so.',
    command: 'peerai config explain network.external_address',
  }),
  NO_ROUTE: ({ at }) => ({
    reason: `This machine knows no way to ${at ?? 'that address'}: it is of a network this machine is not in, or there is no network.`,
    remedy: 'Join the same network, or use a relay.',
    command: 'peerai net',
  }),
  NO_TRANSPORT: ({ at }) => ({
    reason: `The transport of ${at ?? 'that address'} is switched off here, or does not work on this machine.`,
    remedy: 'Switch it on, or use another address.',
    command: 'peerai config explain network.transports',
  }),
  PEER_GONE: ({ name }) => ({
    reason: `The relay knows ${name} and does not reach it any more.`,
    remedy: 'Try again in a moment: it is just leaving, or its network changed.',
    command: `peerai peers trace ${name}`,
  }),
  PEER_NOT_AT_RELAY: ({ name }) => ({
    reason: `The relay is there and ${name} is not at it: it is off, just starting, uses another relay, or got no place because the relay is full.`,
    remedy: `Start ${name}, and see there what it says of its relay.`,
    command: 'peerai doctor',
  }),
  POST_QUANTUM_REQUIRED: ({ name }) => ({
    reason: `The link to ${name} is not sealed against those who record it, and it was before, or one of the two devices wants it always.`,
    remedy: `Bring ${name} up to date, and leave network.post_quantum there at preferred or required; or pair again if it was set up anew.`,
    command: 'peerai config explain network.post_quantum',
  }),
  PRIVATE_NETWORK: ({ name }) => ({
    reason: `${name} is in no private network, or in another than this device.`,
    remedy: 'Put the same key file on both and name it in network.psk_file, or remove the setting on both.',
    command: 'peerai config explain network.psk_file',
  }),
  PROTOCOL_UNKNOWN: ({ name }) => ({
    reason: `${name} was reached and does not speak this version of the protocol.`,
    remedy: 'Bring the older of the two up to date.',
    command: 'peerai --version',
  }),
  REFUSED: ({ name }) => ({
    reason: `${name} was reached and refuses this device: it is not paired there, blocked there, or may not do this.`,
    remedy: `Pair with ${name} again, or allow it there.`,
    command: 'peerai invite',
  }),
  RELAY_FULL: () => ({
    reason: 'The relay has no place left.',
    remedy: 'Its owner can allow more; until then use another relay.',
    command: 'peerai config explain network.relays',
  }),
  RELAY_GONE: ({ at }) => ({
    reason: `The relay ${at === undefined ? '' : `${at} `}does not answer.`,
    remedy: 'Start it, or correct its address; devices on this network work without it.',
    command: 'peerai config explain network.relays',
  }),
  RELAY_REFUSED: ({ name }) => ({
    reason: `The relay does not connect this device with ${name}: one of the two has all the relayed links it may have, or the relay lets only some in.`,
    remedy: 'Try again when fewer links are open, or use another relay.',
    command: 'peerai config explain network.relays',
  }),
  UDP_NO_ANSWER: ({ name, at }) => ({
    reason: `No UDP packet came back from ${at ?? name}: a firewall drops UDP, or nobody is there.`,
    remedy: 'TCP or a relay may still work; for QUIC, open this port for UDP too.',
    command: 'peerai config explain network.transports.quic',
  }),
  WRONG_KEY: ({ name, at }) => ({
    reason: `Another peer than ${name} answers at ${at ?? 'its address'}: its key is a different one.`,
    remedy: `If ${name} was set up anew, compare its key and pair again; if not, its address now belongs to another machine.`,
    command: `peerai peers verify ${name}`,
  }),
};

/** What a failed step means. */
export const explain = ({ code, address }: Pick<StepTrace, 'code' | 'address'>, name: string): Remedy | undefined =>
  code === 'OK' ? undefined : table[code]({ name, ...(address === '' ? {} : { at: shortAddress(address) }) });

/** Without the ids, which say nothing to people; a relayed address is its relay's. */
const shortAddress = (address: string): string =>
  address.replaceAll(/\/p2p\/[^/]+/gu, '').split('/p2p-circuit')[0] ?? '';

const order: readonly ConnectionStep[] = [
  'resolve',
  'dial',
  'reservation',
  'circuit',
  'encrypt',
  'upgrade',
  'membership',
  'protocol',
];

/** The step that says most of why a peer is away: the one that came furthest; of equal ones one that names a cause, then the first that ended. */
export function tellingStep(steps: readonly StepTrace[]): StepTrace | undefined {
  const failed = steps.filter(({ code }) => code !== 'OK');
  const [best] = failed.toSorted((a, b) => rank(b) - rank(a) || Number(isUnexplained(a)) - Number(isUnexplained(b)));
  return best;
}

const isUnexplained = ({ code }: StepTrace): boolean => code === 'CONNECTION_LOST';

/** That the transport is off says only that this address is none of ours to dial. */
const rank = ({ step, code }: StepTrace): number => (code === 'NO_DIRECT_PATH' ? 0 : order.indexOf(step));
