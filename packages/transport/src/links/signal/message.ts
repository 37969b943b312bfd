import { parsePeerId, type PeerId } from '@peerai/core-protocol';
import { transportError } from '../../errors.ts';
import { limits } from './limits.ts';

/** A device at a relay, as the relay and the device itself say; nothing of it is proven before there is a link. */
export interface SignalDevice {
  readonly deviceId: string;
  /** The key it says it has; a link to it proves that. Absent for programs that say none. */
  readonly peer?: PeerId;
  readonly info: Readonly<Record<string, unknown>>;
  readonly capabilities: readonly string[];
  readonly specializations: readonly string[];
  readonly resources: Readonly<Record<string, unknown>>;
  readonly status?: Readonly<Record<string, unknown>> | string;
  /** The relay's clock, milliseconds. */
  readonly lastSeenMs: number;
}

/** What one device says to another before they have a channel. */
export type SignalDescription =
  | { readonly type: 'offer' | 'answer'; readonly sdp: string }
  | { readonly type: 'candidate'; readonly candidate: string };

/** What the relay says. What it says besides is left out. */
export type RelayMessage =
  | { readonly type: 'challenge'; readonly nonce: string }
  | { readonly type: 'registered'; readonly peers: number }
  | { readonly type: 'found'; readonly devices: readonly SignalDevice[]; readonly total: number }
  | { readonly type: 'device'; readonly device: SignalDevice }
  | { readonly type: 'left'; readonly deviceId: string }
  | { readonly type: 'signal'; readonly from: string; readonly description: SignalDescription }
  | { readonly type: 'alive'; readonly peers: number; readonly updated: boolean }
  | { readonly type: 'error'; readonly code: string; readonly message: string; readonly target: string | undefined };

const idForm = /^[\w.:-]{1,128}$/u;
export const isDeviceId = (value: unknown): value is string => typeof value === 'string' && idForm.test(value);

/** Undefined for a kind or a description we do not know. Throws INVALID_FORMAT for what is no message, LIMIT_EXCEEDED. */
export function readRelayMessage(text: string): RelayMessage | undefined {
  if (text.length > limits.messageCharsMax) throw transportError('LIMIT_EXCEEDED', 'the relay says too much at once');
  const { type, data } = fields(parsed(text));
  const said = fields(data);
  switch (type) {
    case 'challenge':
      return { type: 'challenge', nonce: word(said['nonce']) };
    case 'registered':
      return { type: 'registered', peers: count(said['peer_count']) };
    case 'discovery_result':
      return { type: 'found', devices: readDevices(said['peers']), total: count(said['total_found']) };
    case 'peer_joined':
    case 'peer_updated':
      return { type: 'device', device: readDevice(data) };
    case 'peer_left':
      return { type: 'left', deviceId: id(said['device_id']) };
    case 'webrtc_signal':
      return readSignal(said);
    case 'heartbeat_ack':
      return { type: 'alive', peers: count(said['peer_count']), updated: said['status_updated'] === true };
    case 'error':
      return readError(said);
    default:
      return undefined;
  }
}

/** Devices as a relay lists them. Throws INVALID_FORMAT, LIMIT_EXCEEDED. */
export function readDevices(value: unknown): readonly SignalDevice[] {
  if (!Array.isArray(value)) throw wrong('a list of devices');
  if (value.length > limits.devicesMax)
    throw transportError('LIMIT_EXCEEDED', `more than ${limits.devicesMax} devices`);
  return value.map(readDevice);
}

function readDevice(value: unknown): SignalDevice {
  const told = fields(value);
  const info = fields(told['peer_info']);
  const peer = peerOf(info['peer_id']);
  const status = told['node_status'];
  const isStatus = (typeof status === 'object' && status !== null) || typeof status === 'string';
  return {
    deviceId: id(told['device_id']),
    ...(peer === undefined ? {} : { peer }),
    info,
    capabilities: words(told['capabilities']),
    specializations: words(told['specializations']),
    resources: fields(told['resources']),
    ...(isStatus ? { status: typeof status === 'string' ? status.slice(0, limits.wordCharsMax) : fields(status) } : {}),
    lastSeenMs: count(told['last_seen']),
  };
}

function readSignal(said: Record<string, unknown>): RelayMessage | undefined {
  const from = id(said['from_device_id']);
  const { type, sdp, candidate } = fields(said['signaling_data']);
  if ((type === 'offer' || type === 'answer') && typeof sdp === 'string' && sdp.startsWith('v=0'))
    return { type: 'signal', from, description: { type, sdp } };
  const line = fields(candidate)['candidate'];
  if (!/^(ice[-_])?candidate$/u.test(String(type)) || typeof line !== 'string' || line === '') return undefined;
  return { type: 'signal', from, description: { type: 'candidate', candidate: line } };
}

function readError({ code, message, target_device_id: target }: Record<string, unknown>): RelayMessage {
  return {
    type: 'error',
    code: typeof code === 'string' && /^[A-Z_]{1,40}$/u.test(code) ? code : 'REFUSED',
    message: typeof message === 'string' ? message.slice(0, 200) : 'the relay gave no reason',
    target: isDeviceId(target) ? target : undefined,
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw wrong('JSON');
  }
}

function fields(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

function id(value: unknown): string {
  if (!isDeviceId(value)) throw wrong('a device id');
  return value;
}

function word(value: unknown): string {
  if (typeof value !== 'string' || value === '' || value.length > limits.wordCharsMax) throw wrong('a word');
  return value;
}

function words(value: unknown): readonly string[] {
  if (value === undefined) return [];
  if (!Array.isArray(value) || value.length > limits.wordsMax) throw wrong('a list of words');
  return value.map(word);
}

/** 0 for what is none: nothing depends on it. */
const count = (value: unknown): number =>
  typeof value === 'number' && value >= 0 && Number.isFinite(value) ? value : 0;

function peerOf(value: unknown): PeerId | undefined {
  try {
    return typeof value === 'string' && value.length <= limits.wordCharsMax ? parsePeerId(value) : undefined;
  } catch {
    return undefined;
  }
}

const wrong = (what: string) => transportError('INVALID_FORMAT', `the relay's message is not ${what}`);
