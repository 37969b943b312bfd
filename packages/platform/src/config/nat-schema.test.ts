import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PeerAiError } from '@peerai/core-protocol';
import { afterAll, describe, expect, it } from 'vitest';
import { loadConfig } from './load-config.ts';
import { iceServerPlace } from './nat-schema.ts';
import { secretKeys, shownConfig } from './shown.ts';

const folder = mkdtempSync(join(tmpdir(), 'peerai-nat-config-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const load = (text: string, env: Record<string, string> = {}) => {
  const file = join(folder, 'peerai.yaml');
  writeFileSync(file, text);
  return loadConfig({ env, file, cwd: folder }).config;
};
function refusal(nat: string, more = ''): string {
  try {
    load(`network: {nat: ${nat}}\n${more}`);
    return 'nothing';
  } catch (error) {
    return PeerAiError.is(error) ? error.message : String(error);
  }
}
const turn = '{url: "turn:t.example", username: me, credential: a-secret-word}';

describe('The servers that help through routers', () => {
  it('are none unless the owner names some', () => {
    expect(load('').network.nat).toEqual({ stun_servers: [], turn_servers: [] });
  });

  it('come from the file or the environment, up to eight and two', () => {
    const many = (count: number, one: string): string => `[${Array.from({ length: count }, () => one).join(', ')}]`;
    const nat = `{stun_servers: ${many(8, '"stun:s.example:3478"')}, turn_servers: ${many(2, turn)}}`;
    expect(load(`network: {nat: ${nat}}`).network.nat.turn_servers).toHaveLength(2);
    expect(refusal(`{stun_servers: ${many(9, '"stun:s.example:3478"')}}`)).toMatch(/at most 8 entries/u);
    expect(refusal(`{turn_servers: ${many(3, turn)}}`)).toMatch(/at most 2 entries/u);
    const env = { PEERAI_NETWORK__NAT__STUN_SERVERS: 'stun:one.example,stun:192.0.2.1:65535' };
    expect(load('', env).network.nat.stun_servers.map(iceServerPlace)).toEqual([
      { host: 'one.example', port: 3_478 },
      { host: '192.0.2.1', port: 65_535 },
    ]);
  });

  it('are shown without their credential, which is not taken on a line', () => {
    const shown = shownConfig(load(`network: {nat: {turn_servers: [${turn}]}}`));
    expect(JSON.stringify(shown)).not.toContain('a-secret-word');
    expect(shown.network.nat.turn_servers).toMatchObject([{ url: 'turn:t.example', username: 'me' }]);
    expect(secretKeys).toContain('network.nat.turn_servers');
  });

  it.each([
    ['{stun_servers: [s.example]}', /a STUN server is stun:host/u],
    ['{stun_servers: ["turn:s.example"]}', /a STUN server is stun:host/u],
    ['{stun_servers: ["stun:s.example:0"]}', /a STUN server is stun:host/u],
    ['{stun_servers: ["stun:s.example:65536"]}', /a STUN server is stun:host/u],
    ['{stun_servers: ["stun:s.example?transport=udp"]}', /a STUN server is stun:host/u],
    ['{stun_servers: ["stun:[2001:db8::1]"]}', /a STUN server is stun:host/u],
    ['{turn_servers: [{url: "turns:t.example", username: a, credential: b}]}', /turns: and .* are not spoken/u],
    ['{turn_servers: [{url: "turn:t.example?transport=tcp", username: a, credential: b}]}', /are not spoken/u],
    ['{turn_servers: [{url: "turn:t.example", username: a}]}', /credential/u],
    ['{turn_servers: [{url: "turn:t.example", username: "", credential: b}]}', /at least 1 character/u],
    ['{stun: []}', /unknown key network\.nat\.stun/u],
  ])('refuse %s', (nat, why) => {
    expect(refusal(nat)).toMatch(why);
  });

  it.each([
    ['{stun_servers: ["stun:s.example"]}', /stun_servers: what is asked of a STUN server goes round the proxy/u],
    [`{turn_servers: [${turn}]}`, /turn_servers: a link over a TURN server goes round the proxy/u],
  ])('refuse %s beside a proxy', (nat, why) => {
    expect(refusal(nat, 'security: {enable_tor: true}')).toMatch(why);
  });

  it('refuse a TURN server where nothing may go through a relay', () => {
    const directOnly = (nat: string): string => refusal(`${nat}, path: direct-only`);
    expect(directOnly(`{turn_servers: [${turn}]}`)).toMatch(/turn_servers: a TURN server is a relay/u);
    expect(directOnly('{stun_servers: ["stun:s.example"]}')).toBe('nothing');
  });
});
