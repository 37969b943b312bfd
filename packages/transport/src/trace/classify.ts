import type { ConnectionCode, ConnectionStep, StepTrace } from '@peerai/core-protocol';
import { transportOf } from '../network/addresses.ts';
import type { Attempt } from '../network/dialer.ts';

type Fault = Pick<StepTrace, 'step' | 'code'>;

/**
 * The step a dial was in, by what libp2p had begun. A relayed address is first a whole dial of the relay: only what comes after the relay's answer is
 * of the peer. QUIC and WebRTC bring their own encryption and say nothing of it.
 */
export function stepAt(address: string, begun: readonly string[]): ConnectionStep {
  const kind = transportOf(address);
  if (kind === 'webrtc') return begun.includes('webrtc:open-signaling-stream') ? 'upgrade' : 'circuit';
  if (begun.length === 0) return 'resolve';
  const answered = begun.lastIndexOf('circuit-relay:read-connect-response');
  if (kind === 'relay' && answered < 0) return 'circuit';
  const own = begun.slice(answered + 1);
  if (own.includes('upgrader:multiplex-outbound-connection')) return 'upgrade';
  if (own.includes('upgrader:encrypt-outbound-connection')) return 'encrypt';
  return kind === 'relay' ? 'circuit' : 'dial';
}

/** As `../policy/connection-limit.ts` and `../network/network.ts` put it; the other side's limit is told by its code. */
const ownLimit = /this node has (all )?its/u;
export const isOwnLimit = (message: string): boolean => ownLimit.test(message);

/** What every step may say, whatever it was doing; the first that fits. libp2p and Node keep most of it in words only. */
const anywhere: readonly (readonly [RegExp, ConnectionStep, ConnectionCode])[] = [
  [ownLimit, 'dial', 'FULL_HERE'],
  [/PRIVATE_NETWORK|private network/u, 'membership', 'PRIVATE_NETWORK'],
  [/not a multiaddr|WebRTC needs a relay/u, 'resolve', 'ADDRESS_INVALID'],
  [/names another peer|does not dial itself/u, 'resolve', 'ADDRESS_OF_ANOTHER'],
  [/TransportUnavailable|No transport available/u, 'resolve', 'NO_TRANSPORT'],
  [/ENOTFOUND|EAI_/u, 'resolve', 'NAME_UNKNOWN'],
  [/does not match expected|but connected to/u, 'encrypt', 'WRONG_KEY'],
];

/** Of our own deadlines, Node and libp2p. */
const isLate = /TIMEOUT|TimeoutError|not done within|timed out|ETIMEDOUT/u;

const ofStep: Readonly<Record<ConnectionStep, readonly (readonly [RegExp, ConnectionCode])[]>> = {
  resolve: [[/./u, 'ADDRESS_INVALID']],
  dial: [
    [/ECONNREFUSED|refused TCP/u, 'NOBODY_LISTENS'],
    [/EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL/u, 'NO_ROUTE'],
    [isLate, 'NO_ANSWER'],
  ],
  circuit: [
    [/NO_RESERVATION/u, 'PEER_NOT_AT_RELAY'],
    [/RESOURCE_LIMIT_EXCEEDED/u, 'RELAY_FULL'],
    [/PERMISSION_DENIED/u, 'RELAY_REFUSED'],
    [/CONNECTION_FAILED/u, 'PEER_GONE'],
    [/./u, 'RELAY_GONE'],
  ],
  reservation: [
    [/RESERVATION_REFUSED|RESOURCE_LIMIT_EXCEEDED|gave no reservation/u, 'RELAY_FULL'],
    [/PERMISSION_DENIED/u, 'RELAY_REFUSED'],
    [/./u, 'RELAY_GONE'],
  ],
  encrypt: [
    [isLate, 'NO_ANSWER'],
    [/./u, 'NOT_A_PEER'],
  ],
  upgrade: [[/./u, 'CLOSED_AFTER_HANDSHAKE']],
  membership: [[/./u, 'PRIVATE_NETWORK']],
  protocol: [
    [/unsupported|UnsupportedProtocol/u, 'PROTOCOL_UNKNOWN'],
    [/LIMIT_REACHED/u, 'FULL_THERE'],
    [/REFUSED/u, 'REFUSED'],
    [isLate, 'NO_ANSWER'],
  ],
};

/** Which step failed how, from somebody else's words. */
export function faultAt(address: string, step: ConnectionStep, reason: string): Fault {
  const known = anywhere.find(([pattern]) => pattern.test(reason));
  if (known !== undefined) return { step: known[1], code: known[2] };
  const kind = transportOf(address);
  if (step === 'dial' && kind === 'quic' && isLate.test(reason)) return { step, code: 'UDP_NO_ANSWER' };
  if (step === 'upgrade' && kind === 'webrtc') return { step, code: 'NO_DIRECT_PATH' };
  return { step, code: ofStep[step].find(([pattern]) => pattern.test(reason))?.[1] ?? 'CONNECTION_LOST' };
}

/** Asking a relay for a place. */
export function reservationFault(address: string, reason: string): StepTrace {
  const step = /reservation/iu.test(reason) ? 'reservation' : 'circuit';
  return { address, cause: reason, ...faultAt(address, step, reason) };
}

/** One address of an attempt that failed as a whole. */
export function stepOf({ address, step, reason, begun = [] }: Attempt): StepTrace {
  return { address, cause: reason, ...faultAt(address, whereOf({ address, step, reason, begun }), reason) };
}

function whereOf({ address, step, reason, begun }: Required<Attempt>): ConnectionStep {
  if (step === 'address') return 'resolve';
  if (step === 'identity') return 'protocol';
  // It came up and ended before a channel was open. Late ones are slow, not closed.
  if (step === 'link') return isLate.test(reason) ? 'protocol' : 'upgrade';
  // A QUIC address that was not begun: its host had refused TCP.
  return step === 'direct' && begun.length === 0 ? 'dial' : stepAt(address, begun);
}
