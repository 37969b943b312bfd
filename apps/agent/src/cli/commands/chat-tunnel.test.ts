import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { nodeCrypto } from '@peerai/core-protocol/crypto-node';
import { startWireEngine } from '@peerai/llm-bridge/testing';
import { sealEnvelope } from '@peerai/messaging/assistant';
import { systemRandom } from '@peerai/platform';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { answer, type ChatWorld, chatWorld } from '../../../test/chat.ts';
import { startProxy } from '../../../test/https-proxy.ts';

let world: ChatWorld;
beforeAll(async () => {
  world = await chatWorld();
});
afterAll(() => world.stop());

const hasOpenssl = spawnSync('openssl', ['version']).status === 0;
describe('by HTTP', { timeout: 60_000 }, () => {
  test.skipIf(!hasOpenssl)(
    'behind HTTPS proxies (their certificate made by openssl) two without a common folder talk through it; it shows nothing but POST /inbox',
    async () => {
      const [key, cert] = [join(world.root, 'key.pem'), join(world.root, 'cert.pem')];
      const made = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '1'];
      const named = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', cert];
      execFileSync('openssl', [...made, ...named], { stdio: 'ignore' });
      const proxies = [await startProxy(key, cert), await startProxy(key, cert)] as const;
      const env = { NODE_EXTRA_CA_CERTS: cert };
      const [toA, toB] = proxies;
      try {
        const a = world.chat(world.project({ PEER_URL: toB.url }), ['--id', 'assistant_a', '--port', '0'], { env });
        const b = world.chat(world.project({ PEER_URL: `${toA.url}/` }), ['--id', 'assistant_b', '--port', '0'], {
          env,
        });
        for (const [one, at] of [
          [a, toA],
          [b, toB],
        ] as const) {
          await one.shows(/mail comes to http:\/\/127\.0\.0\.1:\d+\/inbox/u, 'stderr');
          at.target(Number(/127\.0\.0\.1:(\d+)\/inbox/u.exec(one.child.told.stderr)?.[1]));
        }
        a.type('through the tunnel');
        await b.shows('📩 assistant_a → assistant_b: through the tunnel');
        await a.shows(`📩 assistant_b → assistant_a: ${answer}`);
        for (const path of ['/', '/api/v1/node', '/health', '/docs', '/v1/models', '/metrics']) {
          expect((await toB.ask('GET', path, cert)).status).toBe(404);
        }
        const strange = await toB.ask('POST', '/inbox', cert, '{"from":"x","to":"assistant_b","encrypted":"AAAA"}');
        expect(strange).toMatchObject({ status: 400, body: expect.stringContaining('Failed to decrypt message') });
        const wrong = { from: 'assistant_a', to: 'assistant_b', secret: 'another secret', sentMs: 0 };
        const sealed = sealEnvelope({ crypto: nodeCrypto, random: systemRandom }, wrong, {
          text: 'x',
          type: 'user',
          userInitiated: true,
        });
        expect((await toB.ask('POST', '/inbox', cert, sealed)).status).toBe(400);
        await b.shows('🔐 Failed to decrypt message');
        expect([(await a.exit()).code, (await b.exit()).code]).toEqual([0, 0]);
      } finally {
        for (const one of proxies) one.stop();
      }
    },
  );

  test('a line waits for who is not there yet', async () => {
    const far = world.project({ PEER_URL: 'http://127.0.0.1:9' });
    const a = world.chat(far, ['--id', 'assistant_a', '--port', '0']);
    a.type('hello?');
    await a.shows(/⏳ assistant_b is not there: .*ECONNREFUSED.*; your lines wait/u);
    const told = await a.exit();
    expect([told.code, told.stdout]).toEqual([0, expect.stringContaining('❌ 2 of your lines did not get through')]);
  });

  test('who answers, but is no assistant, is said', async () => {
    const server = await startWireEngine('ollama');
    const a = world.chat(world.project({ PEER_URL: server.url }), ['--id', 'assistant_a', '--port', '0']);
    await a.shows(/❌ assistant_b did not take a line: .*404/u);
    expect((await a.exit()).code).toBe(0);
    await server.stop();
  });
});
