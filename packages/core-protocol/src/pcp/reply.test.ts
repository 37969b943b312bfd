import { describe, expect, it } from 'vitest';
import { PeerAiError } from '../errors.ts';
import type { PeerId } from '../ports/index.ts';
import { pcpErrorReply, pcpErrors, type PcpOpened, pcpProfiles, pcpReceivedReply } from './index.ts';

describe('The answer to a refused message', () => {
  it.each(Object.keys(pcpErrors))('%s has one shape, a fitting status and a text for older peers', (code) => {
    const error = new PeerAiError(code, 'a sentence', { field: 'nonce', retryAfterMs: 1_500 });
    const isInternal = code === 'INTERNAL';
    const inner = isInternal
      ? { code, message: expect.any(String) }
      : { code, message: 'a sentence', details: { field: 'nonce' }, retryAfter: 2 };
    const ours = pcpErrorReply(error, 'peerai/1');
    expect(ours).toEqual({
      status: pcpErrors[code as 'INTERNAL'].status,
      body: { error: inner },
      ...retry(isInternal),
    });
    const six = pcpErrorReply(error, 'pcp/1.0-six');
    expect(six).toEqual({ ...ours, body: { error: inner, detail: expect.any(String) } });
    const concat = pcpErrorReply(error, 'pcp/0.1');
    expect(concat).toEqual({
      status: ours.status < 500 ? 400 : 500,
      body: { error: expect.stringMatching(/^[A-Z_]+$/) },
      ...retry(isInternal),
    });
    expect(ours.status).toBeGreaterThanOrEqual(400);
    expect(ours.status).toBeLessThan(600);
  });
  const retry = (isInternal: boolean) => (isInternal ? {} : { retryAfterSeconds: 2 });

  it.each([
    [
      new PeerAiError('INVALID_VERSION', 'Unsupported version: 2.0'),
      400,
      'Unsupported version: 2.0',
      'INVALID_VERSION',
    ],
    [new PeerAiError('INVALID_SIGNATURE', 'no'), 401, 'Invalid signature', 'INVALID_SIGNATURE'],
    [new PeerAiError('INVALID_FORMAT', 'no', { field: 'signature' }), 400, 'Invalid signature', 'INVALID_SIGNATURE'],
    [new PeerAiError('MISSING_FIELDS', 'no', { field: 'signature' }), 400, 'Missing signature', 'INVALID_SIGNATURE'],
    [
      new PeerAiError('MISSING_FIELDS', 'Missing required field: nonce', { field: 'nonce' }),
      400,
      'Missing required field: nonce',
      'MISSING_FIELDS',
    ],
    [new PeerAiError('INVALID_FORMAT', 'not JSON'), 400, 'Invalid JSON', 'INVALID_JSON'],
    [new PeerAiError('INVALID_FORMAT', 'no', { field: 'timestamp' }), 400, 'no', 'INVALID_TIMESTAMP'],
    [new PeerAiError('CLOCK_SKEW', 'too far'), 400, 'too far', 'EXPIRED_TIMESTAMP'],
    [new PeerAiError('WRONG_RECIPIENT', 'no'), 400, 'no', 'UNKNOWN_RECIPIENT'],
    [new PeerAiError('REPLAY_DETECTED', 'no'), 409, 'Replay protection failed', 'REPLAY_DETECTED'],
    [new PeerAiError('UNKNOWN_SENDER', 'Unknown sender: x'), 401, 'Unknown sender: x', 'INVALID_SIGNATURE'],
    [new PeerAiError('SESSION_EXPIRED', 'no'), 401, 'SESSION_EXPIRED', 'SESSION_EXPIRED'],
    [new PeerAiError('SEQUENCE_ERROR', 'no'), 409, 'SEQUENCE_ERROR', 'SEQUENCE_ERROR'],
    [new PeerAiError('RATE_LIMITED', 'no', { retryAfterMs: 1 }), 429, 'rate_limited', 'RATE_LIMITED'],
    [new PeerAiError('LIMIT_EXCEEDED', 'large'), 413, 'large', 'LIMIT_EXCEEDED'],
    [new PeerAiError('HANDLER_FAILED', 'no'), 500, 'Handler error', 'HANDLER_ERROR'],
    [new PeerAiError('TIMEOUT', 'slow'), 504, 'slow', 'INTERNAL_ERROR'],
  ])('%s', (error, status, detail, concat) => {
    expect(pcpErrorReply(error, 'pcp/1.0-six')).toMatchObject({
      status,
      body: { error: { code: error.code }, detail },
    });
    expect(pcpErrorReply(error, 'pcp/0.1').body).toEqual({ error: concat });
  });

  it('tells nothing of what is no error of ours', () => {
    const errors = [
      new Error('secret'),
      'secret',
      undefined,
      new PeerAiError('STORE_BROKEN', 'secret', { path: 'secret' }),
      new PeerAiError('toString', 'secret'),
      new PeerAiError('INTERNAL', 'secret', { path: 'secret' }),
    ];
    for (const error of errors) {
      for (const profile of pcpProfiles) {
        const { status, body } = pcpErrorReply(error, profile);
        expect(status).toBe(500);
        expect(JSON.stringify(body)).not.toContain('secret');
      }
      expect(pcpErrorReply(error, 'peerai/1').body).toMatchObject({ error: { code: 'INTERNAL' } });
    }
  });
});

it('The answer to a message that was taken has its profile’s shape', () => {
  const opened = (profile: PcpOpened['profile']): PcpOpened => ({
    id: '00',
    profile,
    version: '1',
    sender: 'x' as PeerId,
    senderId: 'x',
    kind: 'ping',
    payload: {},
    sentMs: 0,
    proven: new Set(),
  });
  const reply = (profile: PcpOpened['profile']) => pcpReceivedReply(opened(profile), { entityId: 'me' });
  expect(reply('pcp/0.1')).toEqual({ status: 200, body: { status: 'received' } });
  const six = { status: 'received', entity_id: 'me', verification: 'passed' };
  expect(reply('pcp/1.0-six')).toEqual({ status: 200, body: six });
  expect(reply('peerai/1')).toEqual({ status: 200, body: { ...six, id: '00' } });
});
