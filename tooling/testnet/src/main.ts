#!/usr/bin/env node
import { parseArgs } from 'node:util';
import { startTestnet, type TestnetOptions } from './testnet.ts';

const help = `pnpm --silent testnet --agents N [--relay N] [--engine scripted|nano|auto] [--env KEY=VALUE …]

Relays and agents as real processes on 127.0.0.1: free ports, temporary homes, no mDNS, all paired with one another.
Prints one line of JSON when everything is up, then runs until SIGTERM or Ctrl-C. Logs go to stderr.
`;

function readOptions(): TestnetOptions | undefined {
  const { values } = parseArgs({
    options: {
      agents: { type: 'string', default: '2' },
      relay: { type: 'string', default: '1' },
      engine: { type: 'string', default: 'nano' },
      env: { type: 'string', multiple: true, default: [] },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help === true) return undefined;
  const count = (name: 'agents' | 'relay', min: number, max: number): number => {
    const value = Number(values[name]);
    if (!Number.isInteger(value) || value < min || value > max)
      throw new Error(`--${name} is "${values[name]}"; it can be ${min} to ${max}`);
    return value;
  };
  if (values.engine !== 'scripted' && values.engine !== 'nano' && values.engine !== 'auto')
    throw new Error(`--engine is "${values.engine}"; it can be scripted, nano or auto`);
  const pairs = values.env.map((text) => {
    const at = text.indexOf('=');
    if (at <= 0) throw new Error(`--env is "${text}"; it must be KEY=VALUE`);
    return [text.slice(0, at), text.slice(at + 1)] as const;
  });
  return {
    agents: count('agents', 1, 32),
    relays: count('relay', 0, 8),
    engine: values.engine,
    env: Object.fromEntries(pairs),
    onLog: (line) => process.stderr.write(`${line}\n`),
    onProgress: (text) => process.stderr.write(`testnet: ${text}, ${Math.round(performance.now() / 1000)} s\n`),
  };
}

try {
  const options = readOptions();
  if (options === undefined) {
    process.stdout.write(help);
  } else {
    // A second signal must not cut off the end that the first one began: it takes some seconds.
    const stopping = new AbortController();
    const ended = new Promise<void>((resolve) => stopping.signal.addEventListener('abort', () => resolve()));
    for (const name of ['SIGTERM', 'SIGINT'] as const)
      process.on(name, () => stopping.abort(new Error(`ended by ${name} before everything was up`)));
    const testnet = await startTestnet({ ...options, signal: stopping.signal });
    process.stdout.write(`${JSON.stringify(testnet.info())}\n`);
    await ended;
    await testnet.stop();
    process.exit(0);
  }
} catch (error) {
  process.stderr.write(`testnet: ${(error as Error).message}\n${help}`);
  process.exit(2);
}
