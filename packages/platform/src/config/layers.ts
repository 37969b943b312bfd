import type { YAMLMap } from 'yaml';
import { configError, type ConfigProblem, keyProblem } from './problem.ts';
import { configKeys, envName, type KeyInfo } from './tree.ts';
import { yaml } from './yaml.ts';

/** One value somebody set, and where. */
export interface Setting {
  readonly key: string;
  readonly value: unknown;
  /** `flag`, `env PEERAI_…`, or the file. */
  readonly origin: string;
  /** The same with the line. */
  readonly place: string;
}

/** Settings of one YAML (or JSON) text. Throws CONFIG_INVALID and CONFIG_NOT_BUILT_IN with file and line. */
export function fileSettings(text: string, path: string): readonly Setting[] {
  const { isMap, isScalar, LineCounter, parseDocument } = yaml();
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const place = (offset: number | undefined): string => `${path}:${lines.linePos(offset ?? 0).line || 1}`;
  const failures = document.errors.map(({ pos, message }) => invalid('', place(pos[0]), message));
  if (failures.length > 0) throw configError(failures);
  if (document.contents === null) return [];
  if (!isMap(document.contents)) throw configError([invalid('', place(0), 'a configuration holds keys with values')]);
  const settings: Setting[] = [];
  const problems: ConfigProblem[] = [];
  walk(document.contents, '');
  if (problems.length > 0) throw configError(problems);
  return settings;

  function walk(map: YAMLMap, prefix: string): void {
    for (const { key: keyNode, value } of map.items) {
      const key = prefix + (isScalar(keyNode) ? String(keyNode.value) : '?');
      const at = place(isScalar(keyNode) ? keyNode.range?.[0] : undefined);
      const empty = value === null || (isScalar(value) && value.value === null);
      if (known.has(key)) {
        if (!empty)
          settings.push({
            key,
            value: (value as YAMLMap).toJS(document, { maxAliasCount: 100 }),
            origin: path,
            place: at,
          });
      } else if (!isSection(key)) problems.push(keyProblem(key, at));
      else if (isMap(value)) walk(value, `${key}.`);
      else if (!empty) problems.push(invalid(key, at, `${key} is a section: write its keys below it`));
    }
  }
}

/** `PEERAI_SECTION__KEY`, and seed 0's names. Names without `__` are not configuration (PEERAI_HOME, PEERAI_TOKEN). An empty one counts as unset. */
export function envSettings(env: Environment): readonly Setting[] {
  const problems: ConfigProblem[] = [];
  const settings: Setting[] = [...aliasSettings(env)];
  for (const [name, text] of Object.entries(env)) {
    if (!/^PEERAI_.*__/u.test(name) || text === undefined || text === '') continue;
    const key = name.slice('PEERAI_'.length).toLowerCase().replaceAll('__', '.');
    const info = known.get(key);
    if (info === undefined || envName(key) !== name) problems.push(keyProblem(key, `env ${name}`));
    else settings.push({ key, value: fromText(info, text), origin: `env ${name}`, place: `env ${name}` });
  }
  if (problems.length > 0) throw configError(problems);
  return settings;
}

export type Environment = Readonly<Record<string, string | undefined>>;
export type Flags = Readonly<Record<string, unknown>>;

/** Dotted keys to values; texts are read as in the environment, undefined counts as not given. */
export function flagSettings(flags: Flags): readonly Setting[] {
  const settings: Setting[] = [];
  for (const [key, value] of Object.entries(flags)) {
    if (value === undefined) continue;
    const info = known.get(key);
    if (info === undefined) throw configError([keyProblem(key, 'flag')]);
    settings.push({
      key,
      value: typeof value === 'string' ? fromText(info, value) : value,
      origin: 'flag',
      place: 'flag',
    });
  }
  return settings;
}

/** Seed 0's environment: where Ollama answers, the model to use, the shared secret and the other side's address. They yield to the keys' own variables. */
function* aliasSettings(env: Environment): Generator<Setting> {
  const { OLLAMA_HOST: host, MODEL_NAME: model, SECRET_KEY: secret, PEER_URL: peer } = env;
  if (host !== undefined && host !== '') {
    const value = [{ type: 'ollama', url: ollamaUrl(host) }];
    yield { key: 'llm.engines', value, origin: 'env OLLAMA_HOST', place: 'env OLLAMA_HOST' };
  }
  if (model !== undefined && model !== '') {
    yield { key: 'llm.default_model', value: model, origin: 'env MODEL_NAME', place: 'env MODEL_NAME' };
  }
  if (secret !== undefined && secret !== '') {
    yield { key: 'security.shared_secret', value: secret, origin: 'env SECRET_KEY', place: 'env SECRET_KEY' };
  }
  if (peer !== undefined && peer !== '') {
    yield { key: 'http.peer_url', value: peer, origin: 'env PEER_URL', place: 'env PEER_URL' };
  }
}

/** `OLLAMA_HOST` as the Ollama client reads it: scheme and port may be left out, and the address a server binds to is reached at loopback. */
export function ollamaUrl(host: string): string {
  const url = URL.parse(host.includes('://') ? host : `http://${host}`);
  if (url === null) return host;
  if (url.port === '' && !host.includes('://')) url.port = '11434';
  if (url.hostname === '0.0.0.0') url.hostname = '127.0.0.1';
  return url.href.replace(/\/$/u, '');
}

/** A value out of one line of text: lists as `a,b` or `[a, b]`, numbers and booleans as YAML has them. */
export function fromText(info: KeyInfo, text: string): unknown {
  if (info.type === 'string') return text;
  if (info.type === 'array' && !text.trim().startsWith('[')) {
    return text
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== '');
  }
  try {
    // Numbers, `true` and lists in JSON are the same in YAML, and need no library.
    return JSON.parse(text) as unknown;
  } catch {
    return fromYaml(text);
  }
}

function fromYaml(text: string): unknown {
  try {
    return yaml().parse(text) as unknown;
  } catch {
    return text;
  }
}

const known: ReadonlyMap<string, KeyInfo> = new Map(configKeys().map((info) => [info.key, info]));

export function isSection(key: string): boolean {
  return [...known.keys()].some((name) => name.startsWith(`${key}.`));
}

function invalid(key: string, place: string, message: string): ConfigProblem {
  return { code: 'CONFIG_INVALID', key, place, message };
}
