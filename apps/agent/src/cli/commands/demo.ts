import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PeerAiError } from '@peerai/core-protocol';
import { createControlClient } from '@peerai/peer/control';
import { command, type Verb } from '../command.ts';
import type { Output } from '../output.ts';

/** How long one of the demo's agents may take to start, milliseconds. */
const readyMsMax = 30_000;
const question = 'what is peerai';

const chat = command(
  'chat',
  'Two peers on this machine: pair, ask across, read the signed receipt',
  {},
  async ({ output, signal }) => {
    const folder = mkdtempSync(join(tmpdir(), 'peerai-demo-'));
    const running: { stop(): Promise<void> }[] = [];
    try {
      output.note('Starting two peers with the embedded model …');
      const [studyPc, laptop] = await Promise.all(
        ['study-pc', 'laptop'].map((name) => startPeer(name, join(folder, name), signal)),
      );
      if (studyPc === undefined || laptop === undefined) return;
      running.push(studyPc, laptop);
      const { link } = await studyPc.client.invite(['chat']);
      const pending = await laptop.client.join(link, signal);
      output.note(`laptop joins study-pc; both screens show  ${pending.emoji.join(' ')}`);
      await studyPc.client.acceptPairing(pending.id);
      await askAcross(laptop, output, signal);
      const { ok, receipts } = await laptop.client.verifyLedger(signal);
      output.note(`ledger of laptop: ${ok ? '✓' : '⊗'} ${receipts} receipt signed by both`);
    } finally {
      await Promise.all(running.map((one) => one.stop()));
      rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
    }
  },
);

export const demo: Verb = { run: chat, subs: { chat } };

interface DemoPeer {
  readonly client: ReturnType<typeof createControlClient>;
  stop(): Promise<void>;
}

async function askAcross({ client }: DemoPeer, output: Output, signal: AbortSignal): Promise<void> {
  const until = Date.now() + readyMsMax;
  while (!(await client.models(signal)).models.some(({ name }) => name === 'nano@study-pc')) {
    if (Date.now() > until) throw new PeerAiError('TIMEOUT', 'study-pc did not offer its model');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  output.note(`laptop asks nano@study-pc: ${question}`);
  for await (const event of client.chat(
    { model: 'nano@study-pc', messages: [{ role: 'user', text: question }] },
    signal,
  )) {
    if (event.type === 'delta') output.write(event.text);
    if (event.type === 'error') throw new PeerAiError(event.code, event.message);
    if (event.type === 'finish')
      output.note(
        `\n  ${event.servedBy.name} · ${event.servedBy.path} · ${event.servedBy.signed === true ? 'signed ✓' : 'not signed'}`,
      );
  }
}

async function startPeer(name: string, home: string, signal: AbortSignal): Promise<DemoPeer> {
  const main = fileURLToPath(new URL('../../main.js', import.meta.url));
  const env = {
    ...process.env,
    PEERAI_NETWORK__LISTEN_ADDRESS: '127.0.0.1:0',
    PEERAI_NETWORK__DISCOVERY__MDNS: 'false',
    PEERAI_API__PORT: '0',
    PEERAI_LLM__ENGINES: 'nano',
    PEERAI_NETWORK__NAME: name,
  };
  const child = spawn(process.execPath, [main, 'up', '--json', '--home', home], {
    env,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    await ended;
  };
  signal.addEventListener('abort', () => child.kill('SIGTERM'));
  const api = await new Promise<string>((resolve, reject) => {
    const timer = setTimeout(() => reject(new PeerAiError('TIMEOUT', `${name} did not start`)), readyMsMax);
    void ended.then(() => reject(new PeerAiError('AGENT_FAILED', `${name} ended at once`)));
    createInterface({ input: child.stdout }).once('line', (line) => {
      clearTimeout(timer);
      resolve((JSON.parse(line) as { agent: { api: string } }).agent.api);
    });
  });
  return {
    client: createControlClient({ baseUrl: api, token: readFileSync(join(home, 'token'), 'utf8').trim() }),
    stop,
  };
}
