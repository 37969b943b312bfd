import { describe, expect, test } from 'vitest';
import { type AccessFacts, type AccessRules, decideAccess, splitPathKey } from './access.ts';

const rules: AccessRules = {
  loopbackBind: true,
  requireToken: 'control',
  allowHosts: ['study-pc.lan'],
  allowOrigins: ['https://mine.example'],
  controlToken: 'control-token-0123456789',
  docsSession: 'docs-session-0123456789',
  isGatewayKey: (key) => key === 'gateway-key-0123456789',
};
const facts: AccessFacts = {
  method: 'GET',
  path: '/v1/models',
  host: '127.0.0.1:8006',
  origin: undefined,
  authorization: undefined,
  pathKey: undefined,
  remoteLoopback: true,
};
const status = (change: Partial<AccessFacts>, changed: Partial<AccessRules> = {}): number => {
  const verdict = decideAccess({ ...rules, ...changed }, { ...facts, ...change });
  return verdict.allowed ? 200 : verdict.status;
};
const control = 'Bearer control-token-0123456789';
const gateway = 'Bearer gateway-key-0123456789';

describe('who may call what', () => {
  test.each<[string, Partial<AccessFacts>, number]>([
    ['a local program asks the gateway without a token', {}, 200],
    ['the Ollama client lists models without a token', { path: '/api/tags' }, 200],
    ['the seed client reads /network without a token', { path: '/network' }, 200],
    ['control routes need the token', { path: '/api/v1/node' }, 401],
    ['the seed control routes need the token', { path: '/api/network/peers' }, 401],
    ['the docs need the token', { path: '/docs-json' }, 401],
    ['the control token opens control routes', { path: '/api/v1/node', authorization: control }, 200],
    ['the control token opens the gateway', { authorization: control }, 200],
    ['a gateway key opens the gateway', { authorization: gateway }, 200],
    ['a gateway key in the path opens the gateway', { pathKey: 'gateway-key-0123456789' }, 200],
    ['a gateway key does not open control routes', { path: '/api/v1/node', authorization: gateway }, 401],
    ['a wrong token is refused where none would do', { authorization: 'Bearer nonsense' }, 401],
    ['an empty bearer is a wrong token', { authorization: 'Bearer ' }, 401],
    ['basic credentials are a wrong token', { authorization: 'Basic abc' }, 401],
    ['a rebound host name is refused', { host: 'evil.example:8006' }, 403],
    ['a missing host is refused', { host: undefined }, 403],
    ['a host that only begins like loopback is refused', { host: '127.0.0.1.evil.example' }, 403],
    ['an allowed host passes', { host: 'study-pc.lan:8006' }, 200],
    ['IPv6 loopback passes', { host: '[::1]:8006' }, 200],
    [
      'a foreign page is refused with the right token too',
      { path: '/api/v1/node', origin: 'https://evil.example', authorization: control },
      403,
    ],
    ['a foreign page is refused at the gateway', { origin: 'https://evil.example' }, 403],
    ['the null origin is refused', { origin: 'null' }, 403],
    ['a foreign page is refused on an upgrade', { path: '/network', origin: 'https://evil.example' }, 403],
    ['our own page needs the token for the gateway', { origin: 'http://127.0.0.1:8006' }, 401],
    ['our own page with the token passes', { origin: 'http://127.0.0.1:8006', authorization: control }, 200],
    ['an allowed origin with the token passes', { origin: 'https://mine.example', authorization: control }, 200],
    ['an allowed origin still needs the token', { origin: 'https://mine.example' }, 401],
    [
      'a preflight of an allowed origin needs none',
      { origin: 'https://mine.example', method: 'OPTIONS', path: '/api/v1/node' },
      200,
    ],
    ['a preflight of a foreign page is refused', { origin: 'https://evil.example', method: 'OPTIONS' }, 403],
    ['the dashboard files are open', { path: '/' }, 200],
    ['the health routes are open', { path: '/health/live' }, 200],
    ['another machine needs a token for the gateway', { remoteLoopback: false }, 401],
    ['the docs cookie opens the docs', { path: '/docs/swagger-ui.css', docsCookie: 'docs-session-0123456789' }, 200],
    ['a docs cookie of an earlier start does not', { path: '/docs', docsCookie: 'docs-session-of-before' }, 401],
    ['the YAML of the docs needs the token as well', { path: '/docs-yaml' }, 401],
    ['an image tag of another page is refused', { fetchSite: 'cross-site' }, 403],
    ['a script tag of another port is refused', { path: '/api/tags', fetchSite: 'same-site' }, 403],
    ['a link on another page leads to the dashboard', { path: '/', fetchSite: 'cross-site' }, 200],
    ['the docs cookie opens nothing else', { path: '/api/v1/node', docsCookie: 'docs-session-0123456789' }, 401],
  ])('%s', (_name, change, expected) => {
    expect(status(change)).toBe(expected);
  });

  test('require_token all closes the gateway and the events', () => {
    expect(status({}, { requireToken: 'all' })).toBe(401);
    expect(status({ path: '/network' }, { requireToken: 'all' })).toBe(401);
    expect(status({ authorization: gateway }, { requireToken: 'all' })).toBe(200);
  });

  test('a bind that is not loopback closes the gateway as well', () => {
    expect(status({ host: 'study-pc.lan' }, { loopbackBind: false })).toBe(401);
  });

  test('the metrics are open while local programs need no token, and then need the control token', () => {
    const metrics = { path: '/metrics' };
    expect(status(metrics)).toBe(200);
    for (const closed of [{ requireToken: 'all' as const }, { loopbackBind: false }]) {
      expect(status(metrics, closed)).toBe(401);
      expect(status({ ...metrics, authorization: gateway }, closed)).toBe(401);
      expect(status({ ...metrics, pathKey: 'gateway-key-0123456789' }, closed)).toBe(401);
      expect(status({ ...metrics, authorization: control }, closed)).toBe(200);
    }
  });

  test('a stranger at a closed API is told nothing of the inside', () => {
    const ready = { ...facts, path: '/health/ready' };
    const closed = { ...rules, requireToken: 'all' as const };
    expect(decideAccess(rules, ready)).toMatchObject({ allowed: true, owner: true });
    expect(decideAccess(closed, ready)).toMatchObject({ allowed: true, owner: false });
    expect(decideAccess(closed, { ...ready, authorization: gateway })).toMatchObject({ allowed: true, owner: false });
    expect(decideAccess(closed, { ...ready, authorization: control })).toMatchObject({ allowed: true, owner: true });
  });

  test('an allowed origin gets CORS for itself alone', () => {
    expect(decideAccess(rules, { ...facts, origin: 'https://mine.example', authorization: control })).toMatchObject({
      cors: 'https://mine.example',
    });
    expect(decideAccess(rules, facts)).not.toHaveProperty('cors');
  });

  test('a key is taken off the path, whatever follows', () => {
    expect(splitPathKey('/t/gateway-key-0123456789/v1/models?x=1')).toEqual({
      url: '/v1/models?x=1',
      key: 'gateway-key-0123456789',
    });
    expect(splitPathKey('/t/short/v1')).toEqual({ url: '/t/short/v1', key: undefined });
  });
});
