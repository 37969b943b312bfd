import { limits } from '../limits.ts';
import { pcpError } from './errors.ts';
import { names, sessionKinds, time } from './kinds-session.ts';
import { pcpLimits } from './limits.ts';
import { amount, type Checked, count, either, flag, free, hexOf, listOf, oneText, shape, text } from './schema.ts';

const id = text(pcpLimits.idBytesMax);
const name = text(pcpLimits.nameBytesMax);
/** Older peers may leave it empty. */
const note = text(pcpLimits.noteBytesMax, 0);
const base64Text = text(pcpLimits.chunkTextMax);
const status = shape(
  {},
  {
    state: name,
    status: name,
    tasks_pending: count(),
    tasks_completed: count(),
    capabilities: names,
    load: amount(0, 1_000_000),
    uptime: amount(0, Number.MAX_SAFE_INTEGER),
    timestamp: time,
    message: note,
  },
);
const requirement = { requirements: names, dependencies: names, required_capabilities: names } as const;
const answer = shape(
  { task_id: id },
  {
    response_id: id,
    responder_id: name,
    response_type: name,
    status: name,
    message: note,
    reason: note,
    progress_percent: amount(0, 100),
    result: free,
    deliverables: names,
    duration_sec: amount(0, Number.MAX_SAFE_INTEGER),
    timestamp: time,
  },
);
const peerEntry = shape(
  { entity_id: name },
  {
    name,
    endpoint: note,
    address: note,
    addresses: listOf(note, limits.recordAddressesMax),
    capabilities: names,
    public_key: hexOf(32),
    alive: flag,
    expires: time,
    record: text(pcpLimits.recordTextMax),
  },
);

/** What a message's payload must hold, kind by kind. A task's `deadline` is a time, its `priority` a word or a number. */
export const pcpKinds = {
  ...sessionKinds,
  ping: shape({}, { timestamp: time, id }),
  pong: shape({}, { timestamp: time, id }),
  status_report: status,
  heartbeat: shape({}, { sequence: count(), timestamp: time, status: name }),
  capability_query: shape({}, { query_id: id, capabilities: names }),
  capability_response: shape(
    {
      capabilities: shape(
        {},
        {
          protocol_version: text(16),
          supported_msg_types: names,
          crypto_features: free,
          endpoints: names,
          entity_id: name,
          models: names,
          protocol_versions: names,
          agent: name,
          task_types: names,
          nn_operators: names,
          region: name,
        },
      ),
    },
    { query_id: id },
  ),
  wake_up: shape(
    {},
    { reason: note, timestamp: time, priority: oneText(['low', 'normal', 'high', 'critical']), wake_up_id: id },
  ),
  wake_up_ack: shape(
    { acknowledged: flag },
    {
      reason: note,
      timestamp: time,
      wake_up_id: id,
      status: oneText(['success', 'failed', 'already_awake', 'rate_limited', 'invalid_signature']),
    },
  ),
  task_delegate: shape(
    { task_id: id, description: text(pcpLimits.descriptionBytesMax) },
    {
      ...requirement,
      version: text(16),
      parent_task_id: id,
      delegator_id: name,
      delegatee_id: name,
      type: name,
      task_type: name,
      title: note,
      constraints: free,
      deliverables: names,
      priority: either(text(16), count(100)),
      status: name,
      created_at: time,
      deadline: time,
      estimated_hours: amount(0, 1_000_000),
      context: free,
      receipt: flag,
    },
  ),
  task_accept: answer,
  task_reject: answer,
  task_progress: answer,
  task_complete: answer,
  task_fail: answer,
  task_cancel: shape({ task_id: id }, { reason: note, timestamp: time }),
  discovery: shape(
    {},
    {
      capability: name,
      capabilities: names,
      limit: count(pcpLimits.namesMax),
      peers: listOf(peerEntry, pcpLimits.namesMax),
    },
  ),
  error: shape(
    { error_code: name },
    { error_message: note, original_message_id: id, retry_after: amount(0, 86_400), details: free },
  ),
  chunk: shape(
    { transfer_id: hexOf(16), chunk_index: count(), total_chunks: count(), data: base64Text },
    { checksum: hexOf(16), total_bytes: count(), sha256: hexOf(32), original_msg_type: name },
  ),
  chunk_ack: shape({ transfer_id: hexOf(16) }, { chunk_index: count(), received: count() }),
  chunk_resend: shape(
    { transfer_id: hexOf(16), missing: listOf(count(pcpLimits.chunksMax - 1), pcpLimits.resendIndexesMax) },
    {},
  ),
  chunk_complete: shape({ transfer_id: hexOf(16) }, { sha256: hexOf(32), bytes: count() }),
} as const;
export type PcpKind = keyof typeof pcpKinds;
export type PcpPayload<K extends PcpKind> = Checked<(typeof pcpKinds)[K]>;

const aliases: Readonly<Record<string, PcpKind>> = {
  status: 'status_report',
  task: 'task_delegate',
  delegate: 'task_delegate',
  result: 'task_complete',
};

/** The kind's own name: older peers say `status`, `task`, `delegate` and `result`. Undefined when the peer protocol has no such kind. */
export function pcpKindOf(kind: string): PcpKind | undefined {
  if (Object.hasOwn(pcpKinds, kind)) return kind as PcpKind;
  return Object.hasOwn(aliases, kind) ? aliases[kind] : undefined;
}

/** The kind's own name and its payload with the fields that are known. Throws UNKNOWN_KIND, INVALID_FORMAT, MISSING_FIELDS (`details.field`). */
export function readPcpPayload(kind: string, payload: unknown): PcpKindPayload {
  const known = pcpKindOf(kind);
  if (known === undefined)
    throw pcpError('UNKNOWN_KIND', `Unknown message type: ${kind.slice(0, 64)}`, { kind: kind.slice(0, 64) });
  return { kind: known, payload: pcpKinds[known](payload, 'payload') } as PcpKindPayload;
}
/** One of the kinds with its payload: narrowing `kind` narrows `payload`. */
export type PcpKindPayload = {
  readonly [K in PcpKind]: { readonly kind: K; readonly payload: PcpPayload<K> };
}[PcpKind];
