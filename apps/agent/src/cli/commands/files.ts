import { basename } from 'node:path';
import { PeerAiError } from '@peerai/core-protocol';
import type { ControlClient, FileView } from '@peerai/peer/control';
import { command, type Verb } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { openFile, sizeText } from '../open-file.ts';
import type { Output } from '../output.ts';
import { table } from '../plain.ts';
import { byteProgress, bytesBar, CountedFile, percentOf } from '../progress-bar.ts';
import { ago } from '../words.ts';

const which = {
  id: { type: 'positional', required: true, description: 'Id from `peerai files`, or its beginning' },
} as const;

const ls = command('ls', 'Files sent and received, newest first', {}, async ({ agent, output, signal }) => {
  const { files: all, room } = await (await agent()).client.files(signal);
  output.data({ files: all, room }, () => {
    if (all.length === 0) return 'None yet. Send one: peerai send <peer> --file <file>';
    const rows = all.map((file) => [
      file.id.slice(0, 8),
      `${file.direction === 'out' ? 'to' : 'from'} ${file.peerName}`,
      stateOf(file),
      sizeText(file.bytes),
      ago(file.endedMs ?? file.startedMs),
      file.path ?? file.name,
    ]);
    const used = `Received files take ${sizeText(room.bytes)} of ${sizeText(room.bytesMax)}.`;
    return `${table([['ID', 'PEER', 'STATE', 'SIZE', 'WHEN', 'FILE'], ...rows])}\n\n${used}`;
  });
});

const cancel = command(
  'cancel',
  'Stop a file that is on its way, from either side',
  which,
  async ({ args, agent, output }) => {
    const { client } = await agent();
    const before = await client.file(args.id);
    if (!isMoving(before)) throw new PeerAiError('REFUSED', `this file is ${before.state}; there is nothing to cancel`);
    const file = await client.endFile(before.id);
    output.data({ file }, () => `The file is ${file.state}.`);
  },
);

const rm = command('rm', 'Remove a received file from this peer', which, async ({ args, agent, output }) => {
  const { client } = await agent();
  const before = await client.file(args.id);
  if (before.path === null) throw new PeerAiError('REFUSED', 'this is no received file that is here');
  const file = await client.endFile(before.id);
  output.data({ file }, () => 'Removed.');
});

export const files: Verb = { run: ls, subs: { ls, cancel, rm } };

/**
 * `peerai send --file`: hands the file to the agent, then shows how far it is until it is there. One that no device takes now is left to the agent; an
 * interruption cancels it.
 */
export async function sendFile(
  client: ControlClient,
  { to, path, queue }: { readonly to: string; readonly path: string; readonly queue: boolean },
  output: Output,
  signal: AbortSignal,
): Promise<void> {
  if (to === 'all' || to.startsWith('@') || to.includes(','))
    throw new PeerAiError('USAGE', 'a file goes to one device; send it to each');
  const file = await openFile(path);
  const handed = byteProgress(output, `${basename(path)} to the agent`, file.size);
  const sent = await client.sendFile(to, basename(path), new CountedFile(file, handed), signal);
  const last = queue ? sent : await watch(client, sent, output, signal);
  output.progress('');
  output.data({ file: last }, () => ending(last));
  if (last.state === 'refused') process.exitCode = exitCodes.refused;
  if (last.state === 'expired' || last.state === 'cancelled') process.exitCode = exitCodes.failure;
}

/** Follows a file to its end; ends early where nothing of it went over and the device is away. */
async function watch(client: ControlClient, sent: FileView, output: Output, signal: AbortSignal): Promise<FileView> {
  const stop = new AbortController();
  let told = '';
  let hasMoved = false;
  try {
    // Listens first, then looks: nothing falls in between.
    for await (const event of withFirst(client, sent.id, AbortSignal.any([signal, stop.signal]))) {
      const file = event ?? (await client.file(sent.id, signal));
      hasMoved ||= file.movedBytes > 0;
      if (!isMoving(file) || (file.state === 'waiting' && !hasMoved)) return file;
      const line = progressLine(file);
      if (line === told) continue;
      told = line;
      if (output.json) output.data({ progress: file }, () => '');
      else output.progress(line);
    }
  } catch (error) {
    if (signal.aborted && PeerAiError.is(signal.reason, 'ABORTED')) await client.endFile(sent.id);
    throw error;
  } finally {
    stop.abort();
  }
  throw new PeerAiError('CHANNEL_CLOSED', 'the agent ended while the file went; it goes on when the agent is there');
}

async function* withFirst(
  client: ControlClient,
  id: string,
  signal: AbortSignal,
): AsyncGenerator<FileView | undefined> {
  const events = client.events(signal)[Symbol.asyncIterator]();
  const first = events.next();
  first.catch(() => undefined);
  yield undefined;
  for (let { done, value } = await first; done !== true; { done, value } = await events.next())
    if (value.type === 'file-changed' && value.file.id === id) yield value.file;
}

const isMoving = ({ state }: FileView): boolean => state === 'moving' || state === 'waiting';

function stateOf({ state, code, movedBytes, bytes }: FileView): string {
  if (state === 'moving') return `${percentOf(movedBytes, bytes)} %`;
  return code === null || code === 'CANCELLED' ? state : `${state} (${code})`;
}

function progressLine({ name, peerName, movedBytes, bytes, state }: FileView): string {
  const away = state === 'waiting' ? `  waiting for ${peerName}` : '';
  return `${bytesBar(name, movedBytes, bytes)}${away}`;
}

function ending(file: FileView): string {
  const way = file.way === 'http' ? ' by HTTP' : '';
  if (file.state === 'done') return `delivered${way}, SHA-256 ${file.sha256}`;
  if (isMoving(file)) return 'Queued: sent when the device is there.';
  return stateOf(file);
}
