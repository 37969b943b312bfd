import { sealWithSecret, toHex } from '@peerai/core-protocol';
import { nodeCrypto } from '@peerai/core-protocol/crypto-node';
import { describe, expect, it } from 'vitest';
import { life, nextRandom, secret, six } from './testing/life.ts';

describe('POST /inbox', () => {
  const envelope = (text: string, key = secret, more: object = {}) => ({
    from: 'assistant_a',
    to: 'entity-b',
    type: 'user',
    encrypted: sealWithSecret({ crypto: nodeCrypto, random: nextRandom() }, key, text),
    conversation_id: null,
    user_initiated: true,
    ...more,
  });
  it('takes an envelope of whoever has the secret, once, also after a restart and under another name', async () => {
    const at = await life({ secret });
    const body = envelope('hello');
    expect(await at.post('/inbox', body)).toMatchObject({ status: 200, body: { status: 'ok' } });
    expect(at.seen).toMatchObject([
      { payload: { text: 'hello', from: 'assistant_a', type: 'user', userInitiated: true } },
    ]);
    expect((await at.post('/inbox', { ...body, from: 'assistant_z' })).body.error?.code).toBe('REPLAY_DETECTED');
    await at.stop();
    const again = await life({ secret, store: at.store, clock: at.clock });
    expect((await again.post('/inbox', body)).body.error?.code).toBe('REPLAY_DETECTED');
    expect((await again.post('/inbox', envelope('hello'))).status).toBe(200);
  });

  it('says what is wrong in the first assistants’ words, goes on, and never tells the secret', async () => {
    const at = await life({ secret });
    const wrong = await at.post('/inbox', envelope('hello', 'another secret'));
    expect(wrong).toMatchObject({ status: 400, body: { error: { message: 'Failed to decrypt message' } } });
    const { encrypted: _, ...plain } = envelope('');
    const unsigned = await at.post('/inbox', { ...plain, message: 'hi', hmac_sig: 'ab'.repeat(32) });
    expect(unsigned.body.error).toMatchObject({ message: 'HMAC mismatch' });
    expect(JSON.stringify([wrong, unsigned])).not.toContain(secret);
    expect((await at.post('/inbox', { ...envelope('x'), to: 'somebody' })).body.error?.code).toBe('WRONG_RECIPIENT');
    expect((await at.post('/inbox', envelope('now'))).status).toBe(200);
  });

  it('is closed where there is no secret', async () => {
    const at = await life();
    expect((await at.post('/inbox', envelope('hello'))).status).toBe(403);
  });
});

describe('GET', () => {
  it('/health has the reference’s fields and says how strangers are met', async () => {
    const at = await life();
    const { status, body } = await at.get('/health');
    expect(status).toBe(200);
    expect(body).toMatchObject({
      entity_id: 'entity-b',
      port: 8016,
      peers: 1,
      healthy_peers: 0,
      signing_enabled: true,
      verification_enabled: true,
      public_key: toHex(at.self.publicKey),
      status: 'healthy',
      queue: { size: 1, stats: { queued: 10, sent: 2, failed: 3, discarded: 4 } },
      trust: 'known',
    });
  });

  it('/health is 503 when the disk does not answer', async () => {
    const at = await life();
    at.store.get = async () => {
      throw new Error('broken');
    };
    expect(await at.get('/health')).toMatchObject({ status: 503, body: { status: 'unhealthy' } });
  });

  it('/peers, /stats and /public-key list what was added and count what came', async () => {
    const at = await life();
    for (let count = 0; count < 3; count += 1) await at.post('/message', six(at));
    expect((await at.get('/peers')).body).toEqual({
      entity_id: 'entity-b',
      peers: [{ entity_id: 'entity-a', address: 'http://127.0.0.1:9', has_public_key: true }],
      count: 1,
    });
    expect((await at.get('/stats')).body).toMatchObject({
      stats: { 'entity-a': { total_messages_received: 3, total_messages_sent: 0, is_healthy: true } },
    });
    expect((await at.get('/public-key')).body).toEqual({ entity_id: 'entity-b', public_key: toHex(at.self.publicKey) });
    expect((await at.get('/')).body).toMatchObject({ version: '1.0', peers_count: 1 });
  });

  it('does not tell strangers who is known here, serves no other host names, paths and methods', async () => {
    const at = await life({ showsPeers: false, hosts: ['localhost'] });
    expect([(await at.get('/peers')).status, (await at.get('/stats')).status]).toEqual([403, 403]);
    expect((await at.get('/health', 'evil.example:8016')).status).toBe(403);
    expect((await at.get('/health', 'LOCALHOST:8016')).status).toBe(200);
    expect((await at.get('/constructor')).status).toBe(404);
    expect([(await at.get('/message')).status, (await at.post('/health', {})).status]).toEqual([405, 405]);
  });
});
