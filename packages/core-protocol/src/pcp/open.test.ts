import { beforeEach, describe, expect, it } from 'vitest';
import { fromUtf8, toHex, utf8 } from '../bytes.ts';
import { nodeCrypto as crypto } from '../crypto-node/index.ts';
import { createIdentity, type Identity } from '../identity/identity.ts';
import { limits } from '../limits.ts';
import { ReplayWindow, sealMessage } from '../message/index.ts';
import { ManualClock, seededRandom } from '../testing/index.ts';
import { openPcp, type PcpOpenOptions, pcpLimits, pcpProfiles, sealConcat, sealSix, type SixDraft } from './index.ts';

const random = seededRandom(21);
const alice = createIdentity(crypto, random.bytes(32));
const bob = createIdentity(crypto, random.bytes(32));
const clock = new ManualClock();
clock.jump(1_700_000_000_000 - clock.nowMs());
const self = { peer: bob.peer, entityId: 'entity-b' };
const known = new Map([['entity-a', alice.publicKey]]);
let replay: ReplayWindow;
beforeEach(() => {
  replay = new ReplayWindow();
});
const failure = (code: string, details?: object) =>
  expect.objectContaining(details === undefined ? { code } : { code, details: expect.objectContaining(details) });
const open = (bytes: Uint8Array | string, options: Partial<PcpOpenOptions> = {}) =>
  openPcp(
    { crypto, clock, replay, keyOf: ({ senderId }) => known.get(senderId) },
    typeof bytes === 'string' ? utf8(bytes) : bytes,
    { self, profiles: pcpProfiles, ...options },
  );
const deps = (identity: Identity) => ({ identity, random, clock });
const sixDraft: SixDraft = {
  kind: 'status_report',
  senderId: 'entity-a',
  recipientId: 'entity-b',
  sessionId: '3f2b8c1e-7a4d-4e6f-9b21-5c0d8e7f6a13',
  sequence: 4,
  payload: { text: 'wörld \u{1F600}', list: [1, null] },
};
const six = (change: Partial<SixDraft> = {}, identity = alice): Uint8Array =>
  sealSix(deps(identity), { ...sixDraft, ...change });
const concat = (change: object = {}, identity = alice): Uint8Array =>
  sealConcat(deps(identity), {
    kind: 'ping',
    senderId: 'entity-a',
    recipientId: 'entity-b',
    payload: { n: 1 },
    ...change,
  });
const own = (): Uint8Array =>
  sealMessage(
    { crypto, ...deps(alice) },
    { kind: 'ping', recipient: bob.peer, session: new Uint8Array(16), sequence: 3, payload: {} },
    { form: 'json' },
  );
const change = (bytes: Uint8Array, fields: object): string =>
  JSON.stringify({ ...(JSON.parse(fromUtf8(bytes)) as object), ...fields });

describe('Profile pcp/1.0-six', () => {
  it('opens what it sealed, with the hints around it', () => {
    expect(open(six())).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{32}$/),
      profile: 'pcp/1.0-six',
      version: '1.0',
      ...sixDraft,
      sender: alice.peer,
      sentMs: clock.nowMs(),
      proven: new Set(['version', 'kind', 'sender', 'payload', 'timestampMs', 'nonce']),
    });
    expect(fromUtf8(six())).toMatch(/^[\u0020-\u007e]*$/);
    const { sessionId: _, sequence: __, recipientId: ___, ...bare } = sixDraft;
    expect(open(sealSix(deps(alice), { ...bare, version: '0.3' }))).not.toHaveProperty('recipientId');
  });

  it('takes a signature of 88 base64 characters or 128 hex digits and nothing else', () => {
    const sealed = six();
    const { signature } = JSON.parse(fromUtf8(sealed)) as { readonly signature: string };
    const bytes = Uint8Array.from(atob(signature), (sign) => sign.charCodeAt(0));
    for (const wrong of [
      signature.slice(0, 86),
      signature.replaceAll('=', ''),
      `${signature} `,
      signature.replace(/.==$/, 'B=='),
      toHex(bytes).slice(2),
      `${toHex(bytes)}00`,
      `0x${toHex(bytes).slice(2)}`,
      '',
      1,
      [signature],
    ]) {
      expect(() => open(change(sealed, { signature: wrong }))).toThrow(
        failure('INVALID_FORMAT', { field: 'signature' }),
      );
    }
    for (const missing of [null, undefined]) {
      expect(() => open(change(sealed, { signature: missing }))).toThrow(
        failure('MISSING_FIELDS', { field: 'signature' }),
      );
    }
    expect(open(change(sealed, { signature: toHex(bytes).toUpperCase() })).kind).toBe('status_report');
  });

  it('is refused after a change of any signed field, and taken after a change of a hint, which it does not call proven', () => {
    const sealed = six();
    const changes = {
      version: '0.3',
      msg_type: 'status_reporu',
      sender_id: 'entity-c',
      payload: {},
      timestamp: new Date(clock.nowMs() + 1).toISOString(),
      nonce: '00'.repeat(32),
    };
    known.set('entity-c', alice.publicKey);
    for (const [field, value] of Object.entries(changes)) {
      expect(() => open(change(sealed, { [field]: value }))).toThrow(failure('INVALID_SIGNATURE'));
    }
    known.delete('entity-c');
    expect(replay.entries).toBe(0);
    const { proven, ...hints } = open(change(sealed, { sequence_num: 999, session_id: 'another' }));
    expect(hints).toMatchObject({ sequence: 999, sessionId: 'another' });
    expect(proven.has('sequence') || proven.has('session') || proven.has('recipient')).toBe(false);
  });

  it('verifies numbers as they were written, and not as a double would write them', () => {
    const text = fromUtf8(six({ payload: { n: 1 } }));
    expect(text).toContain('"n":1}');
    for (const number of ['1.0', '1e0', '1E0', '1.00']) {
      expect(() => open(text.replace('"n":1}', `"n":${number}}`))).toThrow(failure('INVALID_SIGNATURE'));
    }
    expect(open(text).payload).toEqual({ n: 1 });
    expect(open(six({ payload: { n: 0.00001 } })).payload).toEqual({ n: 1e-5 });
    expect(() => six({ payload: { n: 2 ** 53 } })).toThrow(failure('INVALID_FORMAT'));
  });

  it('asks for session and sequence from version 1.0 on, but not of a handshake', () => {
    const { sessionId: _, ...noSession } = sixDraft;
    const { sequence: __, ...noSequence } = sixDraft;
    expect(() => sealSix(deps(alice), noSession)).toThrow(failure('MISSING_FIELDS', { field: 'session_id' }));
    expect(() => sealSix(deps(alice), noSequence)).toThrow(failure('MISSING_FIELDS', { field: 'sequence_num' }));
    expect(open(sealSix(deps(alice), { ...noSession, kind: 'handshake' })).kind).toBe('handshake');
    expect(open(sealSix(deps(alice), { ...noSequence, version: '0.3' })).version).toBe('0.3');
  });

  it.each([
    ['msg_type', 'x'.repeat(limits.kindBytesMax), 'x'.repeat(limits.kindBytesMax + 1)],
    ['msg_type', 'x', ''],
    ['msg_type', 'x', 'two words'],
    ['sender_id', 'entity-a', 'x'.repeat(pcpLimits.entityIdBytesMax + 1)],
    ['session_id', 'x'.repeat(pcpLimits.entityIdBytesMax), 'x'.repeat(pcpLimits.entityIdBytesMax + 1)],
    ['recipient_id', 'entity-b', 7],
    ['sequence_num', Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER + 1],
    ['sequence_num', 0, -1],
    ['sequence_num', 0, 0.5],
    ['sequence_num', 0, '1'],
    ['nonce', '00'.repeat(16), '00'.repeat(10)],
    ['nonce', '00'.repeat(64), '00'.repeat(65)],
    ['nonce', 'AAECAwQFBgcICQoLDA0ODw==', 'AAECAwQFBgcICQoLDA0O!w=='],
    ['nonce', `${'A'.repeat(pcpLimits.nonceCharsMin)}==`, `${'A'.repeat(pcpLimits.nonceCharsMin - 1)}=`],
    ['nonce', `${'A'.repeat(pcpLimits.nonceBase64CharsMax)}==`, 'A'.repeat(pcpLimits.nonceBase64CharsMax + 1)],
    ['nonce', 'AB'.repeat(pcpLimits.nonceCharsMax / 2), 'AB'.repeat(pcpLimits.nonceCharsMax / 2 + 1)],
    ['payload', {}, []],
    ['payload', {}, 'text'],
    ['timestamp', '2023-11-14T22:13:20.000001+00:00', '2023-11-14T22:13:20+01:00'],
    ['timestamp', 1_700_000_000.5, -1],
    ['timestamp', 1_700_000_000, '1700000000'],
    ['timestamp', '2023-11-14T22:13:20Z', '2023-11-31T22:13:20Z'],
    ['timestamp', '2023-11-14T22:13:20.123456789+00:00', '2023-11-14T22:13:20.1234567891+00:00'],
  ])('keeps the form of %s', (field, good, bad) => {
    // The good one is read, and only then found not to be what was signed, unless it is a hint.
    const isHint = ['session_id', 'recipient_id', 'sequence_num'].includes(field) || good === 'entity-a';
    if (isHint) expect(open(change(six(), { [field]: good })).kind).toBe('status_report');
    else if (field !== 'payload')
      expect(() => open(change(six(), { [field]: good }))).toThrow(failure('INVALID_SIGNATURE'));
    expect(() => open(change(six(), { [field]: bad }))).toThrow(failure('INVALID_FORMAT', { field }));
  });
});

describe('Profile pcp/0.1', () => {
  it('opens what it sealed, with every field proven', () => {
    expect(open(concat())).toMatchObject({
      profile: 'pcp/0.1',
      version: '0.1',
      kind: 'ping',
      sender: alice.peer,
      senderId: 'entity-a',
      recipientId: 'entity-b',
      payload: { n: 1 },
      proven: new Set(['version', 'kind', 'sender', 'recipient', 'timestampMs', 'nonce', 'payload']),
    });
  });

  it('reads nothing in the payload but what is signed', () => {
    const { payload } = JSON.parse(fromUtf8(concat())) as { readonly payload: object };
    expect(
      open(change(concat(), { payload: { ...payload, extra: 1 } }).replace(/"payload".*?\}/, '$&')).payload,
    ).toEqual({
      n: 1,
    });
  });

  it('takes no base64 signature, no short nonce, no unsigned sender', () => {
    const base64 = 'A'.repeat(86) + '==';
    expect(() => open(change(concat(), { signature: base64 }))).toThrow(
      failure('INVALID_FORMAT', { field: 'signature' }),
    );
    expect(() => open(change(concat(), { signature: null }))).toThrow(
      failure('MISSING_FIELDS', { field: 'signature' }),
    );
    expect(() => open(change(concat(), { nonce: '00'.repeat(15) }))).toThrow(
      failure('INVALID_FORMAT', { field: 'nonce' }),
    );
    expect(() => open(change(concat(), { payload: { data: '!' } }))).toThrow(failure('INVALID_FORMAT'));
    expect(() => open(concat({ senderId: 'stranger' }))).toThrow(failure('UNKNOWN_SENDER'));
  });

  it('checks version, recipient, clock, replay and signature in this order', () => {
    const sealed = concat();
    const forged = { signature: '00'.repeat(64) };
    const late = { timestamp: new Date(clock.nowMs() - 400_000).toISOString() };
    const other = { recipient_id: 'entity-c' };
    expect(() => open(change(sealed, { ...forged, ...late, ...other, version: '0.2' }))).toThrow(
      failure('INVALID_VERSION'),
    );
    expect(() => open(change(sealed, { ...forged, ...late, ...other }))).toThrow(failure('WRONG_RECIPIENT'));
    expect(() => open(change(sealed, { ...forged, ...late }))).toThrow(failure('CLOCK_SKEW'));
    expect(() => open(change(sealed, forged))).toThrow(failure('INVALID_SIGNATURE'));
    expect(open(sealed).kind).toBe('ping');
    expect(() => open(change(sealed, forged))).toThrow(failure('REPLAY_DETECTED'));
  });
});

describe.each([
  ['pcp/1.0-six', six, limits.clockSkewMsMax],
  ['pcp/0.1', concat, pcpLimits.concatSkewMsMax],
] as const)('A message of %s', (profile, seal, skewMsMax) => {
  it('is refused when it comes again, also after a restart, also from a second name of the same key', () => {
    const sealed = seal();
    open(sealed);
    expect(() => open(sealed)).toThrow(failure('REPLAY_DETECTED'));
    replay = new ReplayWindow({ snapshot: replay.snapshot() });
    expect(() => open(sealed)).toThrow(failure('REPLAY_DETECTED'));
  });

  it('leaves no mark when its signature is wrong, so that nobody can use up another’s nonce', () => {
    expect(() => open(seal({}, bob))).toThrow(failure('INVALID_SIGNATURE'));
    expect(replay.entries).toBe(0);
  });

  it('may be as early or late as its profile says or the option, and no more', () => {
    const late = seal();
    clock.jump(skewMsMax);
    expect(open(late).kind).toBe(open(seal()).kind);
    const later = seal();
    clock.jump(skewMsMax + 1);
    expect(() => open(later)).toThrow(failure('CLOCK_SKEW'));
    const early = seal();
    clock.jump(-skewMsMax - 1);
    expect(() => open(early)).toThrow(failure('CLOCK_SKEW', { aheadMs: skewMsMax + 1 }));
    clock.jump(1);
    expect(open(early).profile).toBe(profile);
    const narrow = seal();
    clock.jump(1_001);
    expect(() => open(narrow, { clockSkewMsMax: 1_000 })).toThrow(failure('CLOCK_SKEW'));
    clock.jump(-1);
    expect(open(narrow, { clockSkewMsMax: 1_000 }).profile).toBe(profile);
  });

  it('can be switched off', () => {
    const profiles = pcpProfiles.filter((other) => other !== profile);
    expect(() => open(seal(), { profiles })).toThrow(failure('INVALID_VERSION'));
    expect(open(seal(), { profiles: [profile] }).profile).toBe(profile);
  });

  it('is for the one it names, by either of our names', () => {
    expect(() => open(seal({ recipientId: 'entity-c' }))).toThrow(failure('WRONG_RECIPIENT'));
    expect(open(seal({ recipientId: bob.peer })).recipientId).toBe(bob.peer);
  });

  it('may not be larger than a message', () => {
    const letters = (count: number): string => 'x'.repeat(count);
    expect(() => open(new Uint8Array(limits.messageBytesMax + 1))).toThrow(failure('LIMIT_EXCEEDED'));
    expect(() => open(new Uint8Array(limits.messageBytesMax))).toThrow(failure('INVALID_FORMAT'));
    expect(() => seal({ payload: { text: letters(limits.messageBytesMax) } })).toThrow(failure('LIMIT_EXCEEDED'));
  });

  it.each([
    ['no JSON', '{'],
    ['a list', '[]'],
    ['a text', '"x"'],
  ])('that is %s is refused', (_, text) => {
    expect(() => open(text)).toThrow(failure('INVALID_FORMAT'));
  });

  it('names each field that is missing', () => {
    for (const field of ['version', 'msg_type', 'sender_id', 'timestamp', 'nonce', 'payload', 'signature']) {
      expect(() => open(change(seal(), { [field]: undefined }))).toThrow(failure('MISSING_FIELDS', { field }));
    }
  });
});

describe('Our own profile', () => {
  it('is found by its version and opened with every field proven', () => {
    expect(open(own())).toMatchObject({
      profile: 'peerai/1',
      version: '1',
      sender: alice.peer,
      senderId: alice.peer,
      recipientId: bob.peer,
      sessionId: '00'.repeat(16),
      sequence: 3,
      proven: new Set([
        'version',
        'kind',
        'sender',
        'recipient',
        'session',
        'sequence',
        'timestampMs',
        'nonce',
        'payload',
      ]),
    });
    expect(() => open(own(), { profiles: ['pcp/0.1'] })).toThrow(failure('INVALID_VERSION', { supported: ['0.1'] }));
  });

  it.each([
    ['2.0', '"2.0"'],
    ['7', '7'],
    ['1', '"1"'],
    ['object', '{}'],
  ])('and a version of nobody, %s, names the versions that are read', (_, version) => {
    expect(() => open(`{"version":${version}}`)).toThrow(
      failure('INVALID_VERSION', { supported: ['1', '0.3', '1.0', '1.1', '0.1'] }),
    );
  });
});
