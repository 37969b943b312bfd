import { createAgentNode } from './src/node/agent.ts';
import { testDeps } from './src/testing/index.ts';
const N = Number(process.argv[2] ?? 6);
const dht = process.argv[3] === 'dht';
const one = await createAgentNode(testDeps(), {
  listen: ['/ip4/127.0.0.1/tcp/0', '/ip4/127.0.0.1/tcp/0/ws', '/ip4/127.0.0.1/udp/0/quic-v1'],
  relays: [],
  bootstrap: [],
  dht,
  peerExchange: dht,
});
await one.start();
console.log(one.network.addresses());
const protocol = {
  id: '/peerai/scratch/1',
  access: 'anyone',
  framing: 'messages',
  messageBytesMax: 100,
  channelsPerPeerMax: 4,
} as const;
one.network.answer(protocol, async (c) => {
  for await (const m of c) await c.send(m);
});
const others = [];
for (let i = 0; i < N; i++) {
  const n = await createAgentNode(testDeps(), {
    listen: ['/ip4/127.0.0.1/tcp/0', '/ip4/127.0.0.1/tcp/0/ws', '/ip4/127.0.0.1/udp/0/quic-v1'],
    relays: [],
    bootstrap: dht ? [one.network.addresses()[0]!] : [],
    dht,
    peerExchange: dht,
  });
  await n.start();
  others.push(n);
  const c = await n.network.open(one.network.self, protocol, {
    signal: AbortSignal.timeout(5000),
    addresses: one.network.addresses(),
  });
  c.close();
}
for (const wait of [1000, 5000, dht ? 30000 : 0]) {
  await new Promise((r) => setTimeout(r, wait));
  console.log(
    'one',
    one.stats().connections,
    'others',
    others.map((o) => o.stats().connections),
  );
}
const seen: string[] = [];
const stop = new AbortController();
for (const [i, o] of [one, ...others].entries())
  void (async () => {
    for await (const l of o.network.links(stop.signal))
      seen.push(`${i} ${l.peer.slice(-4)} ${l.transport} ${l.state} ${l.address}`);
  })();
await new Promise((r) => setTimeout(r, 300));
console.log(seen.sort().join('\n'));
stop.abort();
await Promise.all([one, ...others].map((n) => n.stop()));
process.exit(0);
