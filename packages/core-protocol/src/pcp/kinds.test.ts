import { limits } from '../limits.ts';
import { describe, expect, it } from 'vitest';
import { pcpKindOf, pcpKinds, pcpLimits, readPcpPayload } from './index.ts';

const hex = (bytes: number): string => 'ab'.repeat(bytes);
const session = { session_id: '3f2b8c1e-7a4d-4e6f-9b21-5c0d8e7f6a13' };
/** The smallest payload of every kind that asks for something. */
const least: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  handshake: { ...session, challenge: hex(32), public_key: hex(32) },
  handshake_ack: { ...session, public_key: hex(32), challenge_response: hex(64) },
  handshake_confirm: { ...session, confirm: true },
  handshake_init: { ...session, ephemeral_public_key: 'AAAA', identity_key: hex(32) },
  handshake_init_ack: { ...session, ephemeral_public_key: 'AAAA', identity_key: hex(32), challenge: 'AAAA' },
  challenge_response: { ...session, challenge_signature: hex(64) },
  session_established: session,
  session_confirm: { ...session, confirmed: true },
  ready: { ...session, status: 'ready' },
  ping: {},
  pong: {},
  status_report: {},
  heartbeat: {},
  capability_query: {},
  capability_response: { capabilities: {} },
  wake_up: {},
  wake_up_ack: { acknowledged: true },
  task_delegate: { task_id: 't-1', description: 'd' },
  task_accept: { task_id: 't-1' },
  task_reject: { task_id: 't-1' },
  task_progress: { task_id: 't-1' },
  task_complete: { task_id: 't-1' },
  task_fail: { task_id: 't-1' },
  task_cancel: { task_id: 't-1' },
  discovery: {},
  error: { error_code: 'SESSION_EXPIRED' },
  chunk: { transfer_id: hex(16), chunk_index: 0, total_chunks: 1, data: 'AAAA' },
  chunk_ack: { transfer_id: hex(16) },
  chunk_resend: { transfer_id: hex(16), missing: [0] },
  chunk_complete: { transfer_id: hex(16) },
};
const wrong = (field: string) => expect.objectContaining({ code: 'INVALID_FORMAT', details: { field } });
const missing = (field: string) => expect.objectContaining({ code: 'MISSING_FIELDS', details: { field } });

describe.each(Object.entries(least))('A %s', (kind, payload) => {
  it('is read with its fields and others beside them, which are left out', () => {
    expect(readPcpPayload(kind, payload)).toEqual({ kind, payload });
    expect(readPcpPayload(kind, { ...payload, extra_: { a: [1] } })).toEqual({ kind, payload });
  });
  it('names a field that is missing, null or of another type', () => {
    for (const field of Object.keys(payload)) {
      const { [field]: _, ...rest } = payload;
      expect(() => readPcpPayload(kind, rest)).toThrow(missing(`payload.${field}`));
      expect(() => readPcpPayload(kind, { ...rest, [field]: null })).toThrow(missing(`payload.${field}`));
      expect(() => readPcpPayload(kind, { ...rest, [field]: Symbol.iterator })).toThrow(wrong(`payload.${field}`));
    }
    for (const none of [null, undefined, [], 'text', 1])
      expect(() => readPcpPayload(kind, none)).toThrow(wrong('payload'));
  });
  it('bears as many unknown fields as the limit and no more', () => {
    const extra = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, place) => [`x${place}`, place]));
    expect(readPcpPayload(kind, { ...payload, ...extra(pcpLimits.extraFieldsMax) }).kind).toBe(kind);
    expect(() => readPcpPayload(kind, { ...payload, ...extra(pcpLimits.extraFieldsMax + 1) })).toThrow(
      wrong('payload.x0'),
    );
  });
});

describe('Kinds', () => {
  it('are all told of here', () => expect(Object.keys(least).toSorted()).toEqual(Object.keys(pcpKinds).toSorted()));

  it.each([
    ['status', 'status_report'],
    ['task', 'task_delegate'],
    ['delegate', 'task_delegate'],
    ['result', 'task_complete'],
    ['ping', 'ping'],
    ['toString', undefined],
    ['', undefined],
  ])('%s is %s', (given, kind) => expect(pcpKindOf(given)).toBe(kind));

  it('that nobody knows are refused by name', () => {
    expect(() => readPcpPayload('constructor', {})).toThrow(
      expect.objectContaining({ code: 'UNKNOWN_KIND', details: { kind: 'constructor' } }),
    );
  });

  const words = (count: number): string[] => Array.from({ length: count }, () => 'x');
  const free = (values: number) => ({ a: Array.from({ length: values - 2 }, () => 0) });
  /** As many values in all, in lists of ten. */
  const deep = (values: number) => {
    const lists = Array.from({ length: Math.floor((values - 2) / 11) }, () => Array.from({ length: 10 }, () => 0));
    const rest = values - 2 - 11 * lists.length;
    return { lists: [...lists, ...Array.from({ length: rest }, () => 0)] };
  };
  it.each([
    ['task_delegate', 'task_id', 'x'.repeat(pcpLimits.idBytesMax), 'x'.repeat(pcpLimits.idBytesMax + 1)],
    [
      'task_delegate',
      'description',
      'x'.repeat(pcpLimits.descriptionBytesMax),
      'x'.repeat(pcpLimits.descriptionBytesMax + 1),
    ],
    [
      'task_delegate',
      'description',
      'é'.repeat(pcpLimits.descriptionBytesMax / 2),
      'é'.repeat(pcpLimits.descriptionBytesMax / 2 + 1),
    ],
    ['task_delegate', 'priority', 100, 101],
    ['task_delegate', 'priority', 'EMERGENCY', ''],
    ['task_delegate', 'deadline', '2026-02-01T12:00:00Z', 'x'.repeat(pcpLimits.timestampCharsMax + 1)],
    ['task_delegate', 'context', free(pcpLimits.freeValuesMax), free(pcpLimits.freeValuesMax + 1)],
    ['task_delegate', 'context', deep(pcpLimits.freeValuesMax), deep(pcpLimits.freeValuesMax + 1)],
    ['task_delegate', 'context', {}, []],
    ['task_delegate', 'type', 'x'.repeat(pcpLimits.nameBytesMax), 'x'.repeat(pcpLimits.nameBytesMax + 1)],
    ['task_reject', 'reason', 'x'.repeat(pcpLimits.noteBytesMax), 'x'.repeat(pcpLimits.noteBytesMax + 1)],
    ['wake_up', 'reason', '', 1],
    ['task_progress', 'progress_percent', 100, 100.1],
    ['task_progress', 'progress_percent', 0, -1],
    ['handshake', 'supported_versions', words(pcpLimits.versionsMax), words(pcpLimits.versionsMax + 1)],
    ['handshake', 'capabilities', words(pcpLimits.namesMax), words(pcpLimits.namesMax + 1)],
    ['handshake', 'challenge', hex(32).toUpperCase(), hex(31)],
    ['handshake', 'public_key', hex(32), 'xy'.repeat(32)],
    ['discovery', 'limit', pcpLimits.namesMax, pcpLimits.namesMax + 1],
    ['heartbeat', 'sequence', Number.MAX_SAFE_INTEGER, 2 ** 53],
    ['heartbeat', 'sequence', 0, '9007199254740993'],
    ['heartbeat', 'sequence', 0, 0.5],
    ['wake_up', 'priority', 'critical', 'now'],
    ['wake_up_ack', 'acknowledged', false, 0],
    ['chunk', 'data', 'A'.repeat(pcpLimits.chunkTextMax), 'A'.repeat(pcpLimits.chunkTextMax + 1)],
    [
      'chunk_resend',
      'missing',
      Array.from({ length: pcpLimits.resendIndexesMax }, () => 1),
      Array.from({ length: pcpLimits.resendIndexesMax + 1 }, () => 1),
    ],
  ])('keep the bounds of %s.%s', (kind, field, good, bad) => {
    expect(readPcpPayload(kind, { ...least[kind], [field]: good }).payload).toMatchObject({ [field]: good });
    expect(() => readPcpPayload(kind, { ...least[kind], [field]: bad })).toThrow(wrong(`payload.${field}`));
  });

  it('name the place inside a list', () => {
    const peers = [{ entity_id: 'a' }, { entity_id: 'b', public_key: 'short' }];
    expect(() => readPcpPayload('discovery', { peers })).toThrow(wrong('payload.peers[1].public_key'));
  });

  it('a discovered peer has its record and addresses up to their limits, and not beyond', () => {
    const read = (peer: object) => () => readPcpPayload('discovery', { peers: [{ entity_id: 'a', ...peer }] });
    const record = 'A'.repeat(pcpLimits.recordTextMax);
    const addresses = Array.from({ length: limits.recordAddressesMax }, () => '/ip4/192.0.2.1/tcp/1');
    expect(read({ record, addresses })().payload).toMatchObject({ peers: [{ record, addresses }] });
    expect(read({ record: `${record}A` })).toThrow(wrong('payload.peers[0].record'));
    expect(read({ addresses: [...addresses, ''] })).toThrow(wrong('payload.peers[0].addresses'));
  });
});
