#!/usr/bin/env node
import { setTimeout as sleep } from 'node:timers/promises';
import { startTestnet } from './testnet.ts';

/** Where Vite serves the dashboard while it is being worked on. */
const viteUrl = 'http://127.0.0.1:5173';
const viteMsMax = 15_000;

/** `pnpm turbo run dev`: a relay, two agents with the embedded model and the dashboard, on loopback. */
async function main(): Promise<void> {
  const testnet = await startTestnet({
    agents: 2,
    relays: 1,
    engine: 'nano',
    // The first has the usual port, which Vite's proxy asks: the dashboard is the laptop's.
    names: ['laptop', 'study-pc'],
    usualPorts: true,
    env: { PEERAI_SECURITY__ALLOW_ORIGINS: viteUrl, PEERAI_LLM__DEFAULT_MODEL: 'nano@study-pc' },
    onLog: (line) => process.stderr.write(`${line}\n`),
  });
  const end = (): void => void testnet.stop().then(() => process.exit(0));
  process.once('SIGINT', end);
  process.once('SIGTERM', end);

  const [laptop, studyPc] = testnet.agents;
  if (studyPc === undefined || laptop === undefined) throw new Error('two agents were asked for');
  const { link } = await studyPc.client.share({ model: 'nano' });
  const pages = (await answersFor(laptop.info.token)) ? viteUrl : laptop.info.api;
  const question = JSON.stringify({ model: 'nano@study-pc', messages: [{ role: 'user', content: 'what is peerai' }] });
  process.stdout.write(`
  ready: ${studyPc.info.name} and ${laptop.info.name}, paired over a relay on this machine

  dashboard   ${pages}/#token=${laptop.info.token}
  gateway     ${laptop.info.api}/v1      (OpenAI; Ollama at ${laptop.info.api})
  share link  ${link}
  try         curl -s ${laptop.info.api}/v1/chat/completions -H 'content-type: application/json' -d '${question}'

  Ctrl-C ends everything.
`);
}

/**
 * Does Vite serve the dashboard of the agent with this token? Vite runs beside this program when turbo starts both. Alone, or where the usual port
 * was taken and the proxy asks somebody else, the agent's own pages serve.
 */
async function answersFor(token: string): Promise<boolean> {
  const end = Date.now() + (process.env['TURBO_HASH'] === undefined ? 0 : viteMsMax);
  for (;;) {
    const status = await fetch(`${viteUrl}/api/v1/node`, { headers: { authorization: `Bearer ${token}` } }).then(
      (response) => response.status,
      () => undefined,
    );
    if (status !== undefined || Date.now() >= end) return status === 200;
    await sleep(100);
  }
}

await main().catch((error: unknown) => {
  process.stderr.write(`dev: ${(error as Error).message}\n`);
  process.exit(1);
});
