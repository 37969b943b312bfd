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
    names: ['study-pc', 'laptop'],
    usualPorts: true,
    env: { PEERAI_SECURITY__ALLOW_ORIGINS: viteUrl, PEERAI_LLM__DEFAULT_MODEL: 'nano' },
    onLog: (line) => process.stderr.write(`${line}\n`),
  });
  const end = (): void => void testnet.stop().then(() => process.exit(0));
  process.once('SIGINT', end);
  process.once('SIGTERM', end);

  const [studyPc, laptop] = testnet.agents;
  if (studyPc === undefined || laptop === undefined) throw new Error('two agents were asked for');
  const { link } = await studyPc.client.share({ model: 'nano' });
  const pages = (await answers(viteUrl)) ? viteUrl : laptop.info.api;
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

/** Vite runs beside this program when turbo starts both; alone, the agent's own pages serve. */
async function answers(url: string): Promise<boolean> {
  const end = Date.now() + (process.env['TURBO_HASH'] === undefined ? 0 : viteMsMax);
  for (;;) {
    const ok = await fetch(url).then(
      (response) => response.ok,
      () => false,
    );
    if (ok || Date.now() >= end) return ok;
    await sleep(100);
  }
}

await main().catch((error: unknown) => {
  process.stderr.write(`dev: ${(error as Error).message}\n`);
  process.exit(1);
});
