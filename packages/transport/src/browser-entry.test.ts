import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';

/** Files the entry reaches through relative imports, with what else they import. */
async function reached(
  entry: URL,
  seen = new Map<string, readonly string[]>(),
): Promise<Map<string, readonly string[]>> {
  if (seen.has(entry.href)) return seen;
  const text = await readFile(entry, 'utf8');
  const names = [...text.matchAll(/from '([^']+)'/gu)].map(([, name]) => name ?? '');
  seen.set(
    entry.href,
    names.filter((name) => !name.startsWith('.')),
  );
  for (const name of names.filter((one) => one.startsWith('.'))) await reached(new URL(name, entry), seen);
  return seen;
}

test('the main entry reaches nothing that a browser has not: no Node module, no TCP, no mDNS, no native WebRTC', async () => {
  const files = await reached(new URL('index.ts', import.meta.url));
  const imported = new Set([...files.values()].flat());
  expect(files.size).toBeGreaterThan(15);
  expect(imported).toContain('@libp2p/webrtc');
  const foreign = [...imported].filter((name) =>
    /^node:|^node-datachannel$|^@libp2p\/(tcp|mdns|bootstrap)$/u.test(name),
  );
  expect(foreign).toEqual([]);
  expect([...files.keys()].filter((file) => /src\/(node|testing)\//u.test(file))).toEqual([]);
});
