import { type Method, type Protocol, PeerAiError, wire } from '@peerai/core-protocol';
import { limits } from '../limits.ts';
import type { StatusReport } from './status.schema.ts';

const { bytes, jsonCodec, message, oneOf, uint32, uint53 } = wire;
const granted = (id: string, messageBytesMax: number): Protocol => ({
  id,
  access: 'granted',
  framing: 'messages',
  messageBytesMax,
  channelsPerPeerMax: 2,
});

const ping = message({ nonce: bytes(1) });
/** `/peerai/ping/1`: the nonce comes back. */
export const pingMethod: Method<{ readonly nonce: Uint8Array }, { readonly nonce: Uint8Array }> = {
  protocol: granted('/peerai/ping/1', 1_024),
  request: ping,
  response: ping,
  timeoutMs: limits.questionMs,
};

const report = message({
  state: oneOf(1, ['ready', 'busy']),
  startedMs: uint53(2),
  sequence: uint53(3),
  answering: uint32(4),
  waiting: uint32(5),
  tasksRunning: uint32(6),
  tasksWaiting: uint32(7),
});
/** `/peerai/status/1`: each side's report in one exchange; the heartbeat. */
export const statusMethod: Method<StatusReport, StatusReport> = {
  protocol: granted('/peerai/status/1', 1_024),
  request: report,
  response: report,
  timeoutMs: limits.heartbeatAnswerMs,
};

/** The peer protocol's `capability_response`, with our own fields beside it. */
export interface Capabilities {
  readonly protocol_version: string;
  readonly protocol_versions: readonly string[];
  readonly supported_msg_types: readonly string[];
  readonly crypto_features: Readonly<Record<string, boolean>>;
  readonly endpoints: readonly string[];
  readonly entity_id: string;
  readonly agent: string;
  readonly models: readonly string[];
  readonly task_types: readonly string[];
  /** Operators of the networks that its engine computes. */
  readonly nn_operators: readonly string[];
  /** Where its owner says it is; absent where that is not said. */
  readonly region?: string;
}
/** `/peerai/capabilities/1`: what the other side can do. */
export const capabilitiesMethod: Method<object, { readonly capabilities: Capabilities }> = {
  protocol: granted('/peerai/capabilities/1', limits.capabilitiesBytesMax),
  request: jsonCodec(isRecord),
  response: jsonCodec((value) => ({ capabilities: readCapabilities(isRecord(value)['capabilities']) })),
  timeoutMs: limits.questionMs,
};

function readCapabilities(value: unknown): Capabilities {
  const given = isRecord(value);
  const text = (name: string): string => {
    const one = given[name];
    if (typeof one === 'string' && one.length <= limits.capabilityCharsMax) return one;
    throw new PeerAiError(
      'INVALID_FORMAT',
      `capabilities: ${name} is no text of ${limits.capabilityCharsMax} characters`,
    );
  };
  const texts = (name: string): readonly string[] => {
    const list = given[name] ?? [];
    const fits = (one: unknown): boolean => typeof one === 'string' && one.length <= limits.capabilityCharsMax;
    if (Array.isArray(list) && list.length <= limits.capabilityEntriesMax && list.every(fits)) return list as string[];
    throw new PeerAiError('INVALID_FORMAT', `capabilities: ${name} is no list of ${limits.capabilityEntriesMax} texts`);
  };
  const features = Object.entries(isRecord(given['crypto_features'] ?? {})).slice(0, limits.capabilityEntriesMax);
  return {
    protocol_version: text('protocol_version'),
    protocol_versions: texts('protocol_versions'),
    supported_msg_types: texts('supported_msg_types'),
    crypto_features: Object.fromEntries(
      features.map(([name, on]) => [name.slice(0, limits.capabilityCharsMax), on === true]),
    ),
    endpoints: texts('endpoints'),
    entity_id: text('entity_id'),
    agent: text('agent'),
    models: texts('models'),
    task_types: texts('task_types'),
    nn_operators: texts('nn_operators'),
    ...(given['region'] === undefined ? {} : { region: text('region') }),
  };
}

function isRecord(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new PeerAiError('INVALID_FORMAT', 'a JSON object was expected');
}
