import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromiumPath } from '@peerai/config/tab';
import { type Browser, chromium } from 'playwright-core';

const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** A browser on this machine, whose tabs say their addresses to one another. */
export async function openChromium(): Promise<Browser> {
  const args = [...flags, '--disable-features=WebRtcHideLocalIpsWithMdns'];
  return chromium.launch({ executablePath: await chromiumPath(), args });
}

/** Where a guest sits: a network namespace of its own, or another loopback address where none can be made. */
export interface GuestPlace {
  /** Address that the relay and the provider listen on, as the guest dials it. */
  readonly host: string;
  readonly kind: 'namespace' | 'loopback';
  launch(): Promise<Browser>;
  leave(): void;
}

/** Makes a namespace joined to ours by one virtual cable; needs root. Falls back to 127.0.0.2. */
export async function guestPlace(): Promise<GuestPlace> {
  const path = await chromiumPath();
  const name = `peerai-${process.pid}`;
  const subnet = `10.213.${process.pid % 250}`;
  const ip = (...args: readonly string[]): void => void execFileSync('ip', args, { stdio: 'ignore' });
  const remove = (): void => {
    try {
      ip('netns', 'del', name);
    } catch {
      // it was never made
    }
  };
  try {
    ip('netns', 'add', name);
    ip('link', 'add', `v${process.pid}h`, 'type', 'veth', 'peer', 'name', `v${process.pid}g`, 'netns', name);
    ip('addr', 'add', `${subnet}.1/24`, 'dev', `v${process.pid}h`);
    ip('link', 'set', `v${process.pid}h`, 'up');
    ip('-n', name, 'addr', 'add', `${subnet}.2/24`, 'dev', `v${process.pid}g`);
    ip('-n', name, 'link', 'set', `v${process.pid}g`, 'up');
    ip('-n', name, 'link', 'set', 'lo', 'up');
  } catch {
    remove();
    return {
      host: '127.0.0.2',
      kind: 'loopback',
      launch: () => chromium.launch({ executablePath: path, args: flags }),
      leave: () => undefined,
    };
  }
  const folder = mkdtempSync(join(tmpdir(), 'peerai-guest-'));
  const script = join(folder, 'chromium');
  writeFileSync(script, `#!/bin/sh\nexec ip netns exec ${name} ${path} "$@"\n`);
  chmodSync(script, 0o755);
  return {
    host: `${subnet}.1`,
    kind: 'namespace',
    launch: () => chromium.launch({ executablePath: script, args: flags }),
    leave() {
      remove();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
