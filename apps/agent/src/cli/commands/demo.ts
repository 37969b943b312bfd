import { PeerAiError } from '@peerai/core-protocol';
import { command, type Verb } from '../command.ts';
import type { Output } from '../output.ts';
import { type DemoPeer, pair, readyMsMax, withDemoPeers } from './demo-peers.ts';
import { trainDemo } from './demo-train.ts';

const question = 'what is peerai';

const chat = command(
  'chat',
  'Two peers on this machine: pair, ask across, read the signed receipt',
  {},
  async ({ output, signal }) => {
    output.note('Starting two peers with the embedded model …');
    await withDemoPeers(['study-pc', 'laptop'], { signal }, async ([studyPc, laptop]) => {
      if (studyPc === undefined || laptop === undefined) return;
      const emoji = await pair(studyPc, laptop, ['chat'], signal);
      output.note(`laptop joins study-pc; both screens show  ${emoji.join(' ')}`);
      await askAcross(laptop, output, signal);
      const { ok, receipts } = await laptop.client.verifyLedger(signal);
      output.note(`ledger of laptop: ${ok ? '✓' : '⊗'} ${receipts} receipt signed by both`);
    });
  },
);

export const demo: Verb = { run: chat, subs: { chat, train: trainDemo } };

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
