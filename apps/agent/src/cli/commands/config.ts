import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { PeerAiError } from '@peerai/core-protocol';
import { command, type Context, type Verb } from '../command.ts';
import { table } from '../plain.ts';

const file = {
  config: { type: 'string', valueHint: 'FILE', description: 'Read this file instead of the usual ones' },
} as const;
const wanted = { key: { type: 'positional', required: false, description: 'Such as network.relays' } } as const;

interface Flags {
  readonly home?: string | undefined;
  readonly config?: string | undefined;
}

async function load({ home, config }: Flags) {
  const { loadConfig, shownConfig } = await import('@peerai/platform/node');
  const loaded = loadConfig({
    env: process.env,
    ...(home === undefined ? {} : { home }),
    ...(config === undefined ? {} : { file: config }),
  });
  return { ...loaded, config: shownConfig(loaded.config) };
}

const get = command(
  'get',
  'The settings in force, or one of them',
  { ...wanted, ...file } as const,
  async ({ args, output }) => {
    const { configValue } = await import('@peerai/platform/node');
    const loaded = await load(args);
    if (args.key === undefined) {
      output.data({ config: loaded.config, files: loaded.files }, () => JSON.stringify(loaded.config, null, 2));
      return;
    }
    const value = configValue(loaded.config, args.key);
    output.data({ key: args.key, value }, () => (typeof value === 'string' ? value : JSON.stringify(value)));
  },
);

const explainKey = command(
  'explain',
  'One setting: its value, where it comes from, what it does',
  { key: { type: 'positional', required: true, description: 'Such as network.relays' }, ...file } as const,
  async ({ args, output }) => {
    const { configValue, explain } = await import('@peerai/platform/node');
    const { config: values, origins } = await load(args);
    const keys = explain(args.key).map((info) => ({
      ...info,
      value: configValue(values, info.key),
      origin: origins[info.key] ?? 'default',
    }));
    output.data({ keys }, () =>
      keys
        .map((info) =>
          table(
            Object.entries(info).map(([name, value]) => [
              name,
              typeof value === 'string' ? value : JSON.stringify(value),
            ]),
          ),
        )
        .join('\n\n'),
    );
  },
);

const check = command(
  'check',
  'Read a configuration and say what is wrong with it',
  { file: { type: 'positional', required: false, description: 'File to check; the usual ones by default' } } as const,
  async ({ args, output }: Context<{ readonly file: { readonly type: 'positional'; readonly required: false } }>) => {
    const { files } = await load({ home: args.home, config: args.file });
    output.data({ ok: true, files }, () =>
      files.length === 0 ? 'No file: everything is default.' : `Good: ${files.join(', ')}`,
    );
  },
);

const schema = command('schema', 'JSON Schema of the configuration file', {}, async ({ output }) => {
  const { configJsonSchema } = await import('@peerai/platform/node');
  const found = configJsonSchema();
  output.data({ schema: found }, () => JSON.stringify(found, null, 2));
});

const example = command('example', 'A configuration file with every key and what it does', {}, async ({ output }) => {
  const { exampleConfig } = await import('@peerai/platform/node');
  const text = exampleConfig();
  output.data({ text }, () => text);
});

const set = command(
  'set',
  'Write one setting into the configuration file; takes effect at the next start',
  {
    key: { type: 'positional', required: true, description: 'Such as network.relays' },
    value: { type: 'positional', required: true, description: 'Its value, as YAML' },
  } as const,
  async ({ args, output }) => {
    const { directories, secretKeys, setConfigKey, writePrivateFile } = await import('@peerai/platform/node');
    if (secretKeys.includes(args.key)) {
      throw new PeerAiError('USAGE', `${args.key} is a secret: write it into the file or its variable, not on a line`);
    }
    const { files } = directories({ env: process.env, ...(args.home === undefined ? {} : { home: args.home }) });
    const before = existsSync(files.config) ? readFileSync(files.config, 'utf8') : '';
    const text = setConfigKey(before, args.key, args.value);
    mkdirSync(dirname(files.config), { recursive: true, mode: 0o700 });
    await writePrivateFile(files.config, text, 'replace');
    output.data(
      { key: args.key, file: files.config },
      () => `Written to ${files.config}; it takes effect when the agent starts again.`,
    );
  },
);

export const config: Verb = { run: get, subs: { get, set, explain: explainKey, check, schema, example } };
