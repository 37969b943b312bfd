#!/usr/bin/env node
import { join } from 'node:path';
import { PeerAiError } from '@peerai/core-protocol';
import { createLogger, directories } from '@peerai/platform/node';
import { startRelay } from './relay.ts';
import { readSettings, relayHelp } from './settings.ts';

/** How long an orderly end may take before the process ends anyway, milliseconds. */
const stopMsMax = 5_000;
/** What Node cuts small buffers from, bytes: of its own 64 KiB one address that is kept of a peer holds on to all. */
const bufferPoolBytes = 8_192;

async function main(): Promise<void> {
  Buffer.poolSize = bufferPoolBytes;
  const settings = readSettings(process.argv.slice(2), process.env);
  if (settings === 'help') {
    process.stdout.write(relayHelp);
    return;
  }
  const folders = directories({ env: process.env, ...(settings.home === undefined ? {} : { home: settings.home }) });
  const logger = createLogger({ level: 'info', format: 'auto' });
  const files = { key: join(folders.config, 'relay-identity.key'), letters: join(folders.data, 'relay-letters.db') };
  const relay = await startRelay(settings, files, logger);
  const ready = {
    name: settings.name,
    http: relay.http,
    pageUrl: relay.pageUrl,
    addresses: relay.addresses,
    peerId: relay.peerId,
    pid: process.pid,
  };
  if (settings.json) process.stdout.write(`${JSON.stringify(ready)}\n`);
  else process.stdout.write(readyText(ready, settings.publicUrl));
  const end = (): void => {
    setTimeout(() => process.exit(1), stopMsMax).unref();
    void relay.stop().then(() => process.exit(0));
  };
  process.once('SIGTERM', end);
  process.once('SIGINT', end);
}

function readyText(
  {
    http,
    pageUrl,
    addresses,
  }: { readonly http: string; readonly pageUrl: string | undefined; readonly addresses: readonly string[] },
  publicUrl: string | undefined,
): string {
  const page = pageUrl === undefined ? 'no guest page installed (run `pnpm build`)' : pageUrl;
  return [
    `relay ready at ${http}`,
    `  page     ${page}`,
    ...(pageUrl === undefined || publicUrl !== undefined
      ? []
      : ['           links open where that address is reached; for others put TLS in front and give --public-url']),
    '  give this to agents:',
    ...addresses.map((address) => `    peerai up --relay ${address}`),
    '',
  ].join('\n');
}

main().catch((error: unknown) => {
  const known = PeerAiError.is(error);
  process.stderr.write(`peerai relay: ${known ? `${error.message} (${error.code})` : String(error)}\n`);
  process.exit(known && error.code === 'CONFIG_INVALID' ? 9 : 1);
});
