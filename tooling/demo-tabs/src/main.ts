import { startTestnet } from '@peerai/testnet';
import { servePage } from './page-server.ts';

const stopping = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stopping.abort());

const [testnet, page] = await Promise.all([
  startTestnet({ agents: 0, relays: 1, engine: 'scripted', env: {}, signal: stopping.signal }),
  servePage(),
]);
const relay = testnet.relays[0]?.info.http.replace(/^http/u, 'ws') ?? '';
process.stdout.write(
  `Open this in two tabs of one browser: ${page.url}#relay=${relay}\nCtrl-C ends the page and the relay.\n`,
);
if (!stopping.signal.aborted) await new Promise((resolve) => stopping.signal.addEventListener('abort', resolve));
await Promise.all([page.stop(), testnet.stop()]);
