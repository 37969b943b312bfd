import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PeerAiError } from '@peerai/core-protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { limits } from '../limits.ts';
import { configValue, exampleConfig, explain, setConfigKey } from './explain.ts';
import { loadConfig, type LoadConfigOptions, type LoadedConfig } from './load-config.ts';
import { notBuiltIn } from './not-built.ts';
import { configSchema } from './schema.ts';
import { configJsonSchema, configKeys } from './tree.ts';

let cwd: string;
let home: string;
beforeEach(() => {
  const folder = mkdtempSync(join(tmpdir(), 'peerai-config-'));
  [cwd, home] = [join(folder, 'here'), join(folder, 'home')];
  mkdirSync(cwd);
  mkdirSync(home);
});
afterEach(() => rmSync(join(cwd, '..'), { recursive: true }));

const here = (): string => join(cwd, 'peerai.yaml');
const load = (options: Partial<LoadConfigOptions> = {}): LoadedConfig => loadConfig({ env: {}, cwd, home, ...options });

function problemsOf(text: string): string[] {
  writeFileSync(here(), text);
  return refusal(() => load());
}

function refusal(run: () => unknown): string[] {
  try {
    run();
  } catch (error) {
    const { code, details } = error as PeerAiError;
    const problems = details['problems'] as { place: string; message: string }[];
    return [code, ...problems.map(({ place, message }) => `${place.replace(here(), 'FILE')}: ${message}`)];
  }
  return [];
}

describe('the order of settings', () => {
  it('is flag, environment, ./peerai.yaml, the file at home, default; each key says where it came from', () => {
    writeFileSync(
      join(home, 'peerai.yaml'),
      'network: {name: home, max_connections: 1}\napi: {port: 1}\nshare: {guests: 1}\n',
    );
    writeFileSync(here(), 'network: {name: here, max_connections: 2}\napi: {port: 2}\n');
    const env = {
      PEERAI_NETWORK__NAME: 'env',
      PEERAI_NETWORK__MAX_CONNECTIONS: '3',
      PEERAI_HOME: '/elsewhere',
      PATH: 'x__y',
    };
    const { config, origins, files } = load({ env, flags: { 'network.name': 'flag', 'llm.default_model': undefined } });
    expect([config.network.name, config.network.max_connections, config.api.port, config.share.guests]).toEqual([
      'flag',
      3,
      2,
      1,
    ]);
    expect(config.share.concurrency).toBe(1);
    expect(files).toEqual([here(), join(home, 'peerai.yaml')]);
    expect(origins).toMatchObject({
      'network.name': 'flag',
      'network.max_connections': 'env PEERAI_NETWORK__MAX_CONNECTIONS',
      'api.port': here(),
      'share.guests': join(home, 'peerai.yaml'),
      'share.concurrency': 'default',
    });
    expect(Object.keys(origins)).toEqual(configKeys().map(({ key }) => key));
  });

  it('takes only the file that was named, and that must be there', () => {
    writeFileSync(here(), 'api: {port: 2}');
    writeFileSync(join(cwd, 'other.json'), '{"api": {"bind": "::1"}}');
    const { config, files } = load({ file: 'other.json' });
    expect([config.api.bind, config.api.port, files]).toEqual(['::1', 8006, [join(cwd, 'other.json')]]);
    expect(refusal(() => load({ file: 'none.yaml' }))).toEqual([
      'CONFIG_INVALID',
      `${join(cwd, 'none.yaml')}: there is no such file`,
    ]);
  });

  it('replaces a list, never mixes two', () => {
    writeFileSync(here(), 'llm: {expose: [a, b], engines: [nano, {type: ollama, url: "http://127.0.0.1:1"}]}');
    const env = { PEERAI_LLM__EXPOSE: 'c, d' };
    expect(load({ env }).config.llm.expose).toEqual(['c', 'd']);
    expect(
      load({ env: { PEERAI_LLM__ENGINES: '[scripted, {type: llama-cpp, path: /m.gguf}]' } }).config.llm.engines,
    ).toEqual(['scripted', { type: 'llama-cpp', path: '/m.gguf' }]);
    expect(load().config.llm.engines[1]).toEqual({ type: 'ollama', url: 'http://127.0.0.1:1' });
  });

  it("knows seed 0's names, which yield to our own; an empty variable counts as unset", () => {
    const env = { OLLAMA_HOST: '0.0.0.0', MODEL_NAME: 'mistral', PEERAI_NETWORK__NAME: '' };
    const { config, origins } = load({ env });
    expect(config.llm.engines).toEqual([{ type: 'ollama', url: 'http://127.0.0.1:11434' }]);
    expect([config.llm.default_model, origins['llm.default_model'], config.network.name]).toEqual([
      'mistral',
      'env MODEL_NAME',
      undefined,
    ]);
    expect(load({ env: { ...env, PEERAI_LLM__ENGINES: 'nano' } }).config.llm.engines).toEqual(['nano']);
    expect(load({ env: { OLLAMA_HOST: 'https://box.lan/ollama' } }).config.llm.engines).toEqual([
      { type: 'ollama', url: 'https://box.lan/ollama' },
    ]);
  });

  it('reads units and flags as typed values or texts', () => {
    writeFileSync(
      here(),
      "share: {for: 1h30m}\nlogging: {rotate: {size: '2 MiB'}}\nnetwork: {connection_timeout: 5s}\n",
    );
    const { config } = load({ flags: { 'api.port': 0, 'network.discovery.mdns': 'false', 'network.relays': ['a'] } });
    expect([config.share.for, config.logging.rotate.size, config.network.connection_timeout]).toEqual([
      5_400_000, 2_097_152, 5_000,
    ]);
    expect([config.api.port, config.network.discovery.mdns, config.network.relays]).toEqual([0, false, ['a']]);
  });
});

describe('what is refused', () => {
  it('names every problem with its file and line, and what was probably meant', () => {
    const text =
      'network:\n  max_connexions: 3\n  discovery:\n    mdsn: true\nmax_concurrent: 2\nlog: {}\nllm: 3\nzzzzzzzz: 1\n';
    expect(problemsOf(text)).toEqual([
      'CONFIG_INVALID',
      'FILE:2: unknown key network.max_connexions; did you mean network.max_connections?',
      'FILE:4: unknown key network.discovery.mdsn; did you mean network.discovery.mdns?',
      'FILE:5: unknown key max_concurrent; did you mean llm.max_concurrent?',
      'FILE:6: unknown key log; did you mean llm?',
      'FILE:7: llm is a section: write its keys below it',
      'FILE:8: unknown key zzzzzzzz',
    ]);
  });

  it.each(notBuiltIn)('says that %s is not part of this version, in a file, a variable and a flag', (key) => {
    const says = `${key} is not part of this version`;
    expect(
      problemsOf(
        `${key
          .split('.')
          .map((name, depth) => `${'  '.repeat(depth)}${name}:`)
          .join('\n')} x\n`,
      ),
    ).toEqual(['CONFIG_NOT_BUILT_IN', `FILE:${key.split('.').length}: ${says}`]);
    rmSync(here());
    const below = key.includes('.') ? key : `${key}.x`;
    const name = `PEERAI_${below.toUpperCase().replaceAll('.', '__')}`;
    expect(refusal(() => load({ env: { [name]: '1' } }))).toEqual(['CONFIG_NOT_BUILT_IN', `env ${name}: ${says}`]);
    expect(refusal(() => load({ flags: { [below]: '1' } }))).toEqual(['CONFIG_NOT_BUILT_IN', `flag: ${says}`]);
  });

  it.each([
    ['api: {port: 65536}', 'api.port: a port is 0 to 65535'],
    ['api: {port: -1}', 'api.port: a port is 0 to 65535'],
    ['api: {port: 1.5}', 'api.port: a port is a whole number'],
    ['network: {listen_address: "0.0.0.0:65535"}', /network\.listen_address: an address is host:port/u],
    ['network: {listen_address: "4001"}', /network\.listen_address/u],
    ['network: {listen_address: "a:b:4001"}', /network\.listen_address/u],
    ['network: {connection_timeout: 30}', /network\.connection_timeout: .*string/u],
    [
      'network: {transports: {tcp: false, websocket: false, webrtc: false, quic: false}}',
      'network.transports: at least one transport must be on',
    ],
    ['network: {path: relay}', /network\.path/u],
    ['performance: {bandwidth: 999B}', 'performance.bandwidth: at least 1KB'],
    ['network: {transports: {socks5: "127.0.0.1"}}', /network\.transports\.socks5: an address is host:port/u],
    [
      'network: {transports: {file_signalling: /f}}\nsecurity: {enable_tor: true}',
      /network\.transports\.file_signalling: a link met in a folder goes round the proxy/u,
    ],
    [
      'network: {transports: {file_signalling: /f, socks5: "127.0.0.1:1080"}}',
      /network\.transports\.file_signalling: a link met in a folder goes round the proxy/u,
    ],
    ['share: {for: soon}', /share\.for: "soon" is not understood: a duration is/u],
    ['share: {page_url: "ftp://x"}', 'share.page_url: this is no http or https address'],
    ['logging: {rotate: {size: big}}', /logging\.rotate\.size: "big" is not understood: a size is/u],
    ['llm: {engines: [olama]}', /llm\.engines\.0: an engine is one of auto, nano/u],
    ['llm: {engines: []}', 'llm.engines: name at least one engine'],
    ['llm: {engines: [{type: ollama, ulr: x}]}', /llm\.engines\.0/u],
    ['llm: {engines: [{type: auto, url: "http://127.0.0.1:1"}]}', 'llm.engines.0.url: auto takes no url'],
    ['llm: {engines: [{type: nano, path: /m.gguf}]}', 'llm.engines.0.path: nano takes no path'],
    ['llm: {engines: [{type: scripted, url: "http://127.0.0.1:1"}]}', 'llm.engines.0.url: scripted takes no url'],
    ['llm: {engines: [nano, {type: ollama, path: /m}]}', 'llm.engines.1.path: ollama takes no path'],
    ['llm: {engines: [{type: openai-compatible, path: /m}]}', 'llm.engines.0.path: openai-compatible takes no path'],
    [
      'llm: {engines: [{type: llama-cpp, path: /m.gguf, url: "http://127.0.0.1:1"}]}',
      'llm.engines.0.url: llama-cpp takes no url',
    ],
    ['llm: {engines: [{type: llama-cpp}]}', /^FILE:2: llm\.engines\.0\.path: llama-cpp needs the path of a GGUF file/u],
    ['llm: {engines: [llama-cpp]}', /^FILE:2: llm\.engines\.0: llama-cpp needs the path of a GGUF file/u],
    ['llm: {engines: [{type: ollama, url: here}]}', 'llm.engines.0.url: this is no http or https address'],
    ['llm: {max_concurrent: 0}', 'llm.max_concurrent: at least 1'],
  ])('refuses %s with its line', (text, message) => {
    const [code, problem = ''] = problemsOf(`# one\n${text}\n`);
    expect(code).toBe('CONFIG_INVALID');
    expect(problem).toMatch(/^FILE:2: /u);
    if (typeof message === 'string') expect(problem.slice('FILE:2: '.length)).toBe(message);
    else expect(problem).toMatch(message);
  });

  it.each([
    'auto',
    'nano',
    'scripted',
    'ollama',
    'openai-compatible',
    '{type: auto}',
    '{type: nano}',
    '{type: scripted}',
    '{type: ollama, url: "http://127.0.0.1:1"}',
    '{type: openai-compatible, url: "http://127.0.0.1:1"}',
    '{type: llama-cpp, path: /m.gguf}',
  ])('takes the engine %s', (engine) => {
    expect(problemsOf(`llm: {engines: [${engine}]}`)).toEqual([]);
  });

  it('says where YAML itself is wrong, a key is twice, or the text is no configuration', () => {
    expect(problemsOf('api:\n  port: [1\n')[1]).toMatch(/^FILE:\d: /u);
    expect(problemsOf('api: {port: 1}\napi: {port: 2}\n')[1]).toMatch(/^FILE:2: .*unique/u);
    expect(problemsOf('- a\n')).toEqual(['CONFIG_INVALID', 'FILE:1: a configuration holds keys with values']);
  });

  it('names the variable or the flag of a bad value', () => {
    expect(refusal(() => load({ env: { PEERAI_API__PORT: 'high' } }))[1]).toMatch(
      /^env PEERAI_API__PORT: api\.port: /u,
    );
    expect(refusal(() => load({ env: { PEERAI_API__PROT: '1' } }))[1]).toBe(
      'env PEERAI_API__PROT: unknown key api.prot; did you mean api.port?',
    );
    expect(refusal(() => load({ flags: { 'share.tokens': 0 } }))[1]).toBe('flag: share.tokens: at least 1');
  });

  it('takes a file of configBytesMax bytes and refuses one more', () => {
    expect(problemsOf('#'.repeat(limits.configBytesMax))).toEqual([]);
    expect(problemsOf('#'.repeat(limits.configBytesMax + 1))[1]).toMatch(/at most 262144 bytes/u);
  });
});

describe('hooks for tasks', () => {
  const hooks = (text: string): string => `tasks: {hooks: [${text}]}`;

  it('are on this machine, or on a host that is named', () => {
    for (const host of ['localhost', '127.0.0.1:8080', '127.9.9.9', '[::1]:1', 'LocalHost']) {
      writeFileSync(here(), hooks(`{types: [deploy], url: "http://${host}/x"}`));
      expect(load().config.tasks.hooks).toMatchObject([{ types: ['deploy'], repeatable: false, timeout: 60_000 }]);
    }
    const elsewhere = '{types: [deploy], url: "https://Box.lan/x", timeout: 5m}';
    expect(problemsOf(hooks(elsewhere))).toEqual([
      'CONFIG_INVALID',
      expect.stringContaining('box.lan is not this machine; name it in tasks.hook_hosts'),
    ]);
    writeFileSync(here(), `tasks: {hook_hosts: [box.lan], hooks: [${elsewhere}]}`);
    expect(load().config.tasks.hooks).toMatchObject([{ timeout: 300_000 }]);
    for (const host of ['127.0.0.1.evil.example', 'localhost.evil.example', '2130706433.evil'])
      expect(problemsOf(hooks(`{types: [a], url: "http://${host}/"}`))[0]).toBe('CONFIG_INVALID');
  });

  it('have types of their own, and a scheme that is http', () => {
    const one = '{types: [deploy], url: "http://localhost/"}';
    expect(problemsOf(hooks(`${one}, ${one}`))).toEqual([
      'CONFIG_INVALID',
      expect.stringContaining('deploy has a hook already'),
    ]);
    expect(problemsOf(hooks('{types: [deploy], url: "file:///etc/passwd"}'))[0]).toBe('CONFIG_INVALID');
    expect(problemsOf(hooks('{types: [], url: "http://localhost/"}'))[0]).toBe('CONFIG_INVALID');
    expect(problemsOf('tasks: {max_concurrent: 65}')[0]).toBe('CONFIG_INVALID');
  });
});

describe('the explanation', () => {
  it('has a description, a type and a variable for every key', () => {
    for (const info of configKeys()) {
      expect(info.description.length, info.key).toBeGreaterThan(3);
      expect(info.type, info.key).not.toBe('value');
    }
    expect(explain('share.for')).toEqual([
      {
        key: 'share.for',
        description: 'How long a share link works.',
        type: 'string',
        default: '2h',
        env: 'PEERAI_SHARE__FOR',
      },
    ]);
    expect(explain('api').map(({ key }) => key)).toEqual(['api.bind', 'api.port', 'api.require_token']);
    expect(refusal(() => explain('api.prot'))[1]).toContain('did you mean api.port?');
    expect(refusal(() => explain('telemetry'))[0]).toBe('CONFIG_NOT_BUILT_IN');
    expect(configJsonSchema()).toMatchObject({ type: 'object', additionalProperties: false });
  });

  it('is an example file that changes nothing', () => {
    writeFileSync(here(), exampleConfig());
    expect(load().config).toEqual(configSchema.parse({}));
    for (const { key, description } of configKeys()) {
      expect(exampleConfig()).toContain(description);
      expect(exampleConfig()).toContain(`${key.split('.').at(-1)}:`);
    }
  });

  it('gives one value or a section', () => {
    const { config } = load();
    expect(configValue(config, 'api.port')).toBe(8006);
    expect(configValue(config, 'logging.rotate')).toEqual({ size: 10_000_000, keep: 5 });
    expect(refusal(() => configValue(config, 'api.prot'))[0]).toBe('CONFIG_INVALID');
  });

  it('sets one key in a text and keeps its comments', () => {
    const text = setConfigKey('network:\n  # mine\n  name: a # yes\n', 'network.max_connections', '7');
    expect(text).toBe('network:\n  # mine\n  name: a # yes\n  max_connections: 7\n');
    expect(setConfigKey('', 'llm.engines', 'nano, ollama')).toBe('llm:\n  engines:\n    - nano\n    - ollama\n');
    expect(refusal(() => setConfigKey('', 'llm', 'x'))[1]).toContain('is a section');
    expect(refusal(() => setConfigKey('', 'nn.x', 'x'))[0]).toBe('CONFIG_NOT_BUILT_IN');
  });
});
