import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PeerAiError } from '@peerai/core-protocol';
import { afterAll, describe, expect, it } from 'vitest';
import { loadConfig } from './load-config.ts';
import { secretKeys, shownConfig } from './shown.ts';

const folder = mkdtempSync(join(tmpdir(), 'peerai-http-config-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const secret = 'a secret of both sides';

function load(text: string, env: Record<string, string> = {}) {
  const file = join(folder, 'peerai.yaml');
  writeFileSync(file, text);
  return loadConfig({ env, file, cwd: folder }).config;
}
function refusal(text: string): string {
  try {
    load(text);
    return 'nothing';
  } catch (error) {
    return PeerAiError.is(error) ? error.message : String(error);
  }
}

describe('The HTTP face in the configuration', () => {
  it('is on loopback, for known peers, with every profile', () => {
    expect(load('').http).toEqual({
      bind: '127.0.0.1',
      port: 8016,
      trust: 'known',
      profiles: ['peerai/1', 'pcp/1.0-six', 'pcp/0.1'],
      session_life: 3_600_000,
      peers: [],
    });
  });

  it('takes a session life and a heartbeat at their limits', () => {
    const at = (life: string, heartbeat: string) =>
      load(`http: {session_life: ${life}}\nnetwork: {heartbeat: ${heartbeat}}`);
    expect(at('1s', '100ms')).toMatchObject({ http: { session_life: 1_000 }, network: { heartbeat: 100 } });
    expect(at('24h', '1h')).toMatchObject({ http: { session_life: 86_400_000 }, network: { heartbeat: 3_600_000 } });
  });

  it('takes seed 0’s SECRET_KEY and PEER_URL, which yield to the keys’ own variables', () => {
    const env = { SECRET_KEY: secret, PEER_URL: 'https://peer.example/inbox' };
    expect(load('', env)).toMatchObject({ security: { shared_secret: secret }, http: { peer_url: env.PEER_URL } });
    expect(load('', { ...env, PEERAI_HTTP__PEER_URL: 'http://other.example' }).http.peer_url).toBe(
      'http://other.example',
    );
  });

  it('is shown without its secret', () => {
    const shown = shownConfig(load(`security: {shared_secret: ${secret}}`));
    expect(JSON.stringify(shown)).not.toContain(secret);
    expect(shown.security.shared_secret).toMatch(/not shown/u);
    expect(shownConfig(load(''))).not.toHaveProperty('security.shared_secret');
    expect(secretKeys).toContain('security.shared_secret');
  });

  const key = 'ab'.repeat(32);
  it('takes peers of other names and keys', () => {
    const peers = `[{name: a, public_key: ${key}}, {name: b, public_key: ${'cd'.repeat(32)}}, {name: c, profile: inbox}]`;
    expect(load(`http: {peers: ${peers}}`).http.peers).toHaveLength(3);
  });

  it.each([
    ['http: {trust: everybody}', /http\.trust/u],
    ['http: {session_life: 999ms}', /a session lives 1s to 24h/u],
    ['http: {session_life: 24h1ms}', /a session lives 1s to 24h/u],
    ['network: {heartbeat: 99ms}', /100ms to 1h/u],
    ['network: {heartbeat: 1h1ms}', /100ms to 1h/u],
    ['http: {external_url: "ftp://x"}', /no http or https address/u],
    ['security: {shared_secret: short}', /at least 8 characters/u],
    ['http: {peers: [{name: a}]}', /needs the peer's public_key/u],
    ['http: {peers: [{name: a, public_key: abc}]}', /64 hex digits/u],
    [`http: {peers: [{name: a, profile: inbox, public_key: ${key}}]}`, /inbox takes no public_key/u],
    [
      `http: {peers: [{name: a, public_key: ${key}}, {name: b, public_key: ${key.toUpperCase()}}]}`,
      /http\.peers\.1\.public_key: abab.* stands at http\.peers\.0 already/u,
    ],
    [
      `http: {peers: [{name: a, public_key: ${key}}, {name: a, profile: inbox}]}`,
      /http\.peers\.1\.name: a stands at http\.peers\.0 already/u,
    ],
    [`http: {peers: [{name: a, public_key: ${key}, allow: [tasks]}]}`, /results need a url/u],
    [`http: {peers: [{name: a, public_key: ${key}, url: "http://a", allow: [chat]}]}`, /allow/u],
    ['http: {peers: [{name: a, profile: inbox, url: "http://a", allow: [tasks]}]}', /proves no single peer/u],
    [`http: {peers: [{name: a, profile: pcp/9, public_key: ${key}}]}`, /profile/u],
  ])('refuses %s', (text, why) => {
    expect(refusal(text)).toMatch(why);
    expect(refusal(text)).not.toContain(secret);
  });
});
