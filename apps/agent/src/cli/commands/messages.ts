import { type MessagePriority, PeerAiError } from '@peerai/core-protocol';
import type { BroadcastView, MessageView } from '@peerai/peer/control';
import { command, type Verb } from '../command.ts';
import { sendToGroup } from './groups.ts';
import { table } from '../plain.ts';
import { readData } from '../read-data.ts';

/** How a message went, when not over a link. */
const byWay = { link: '', http: ' by HTTP', mailbox: ' by a mailbox', route: ' through other devices' } as const;

export const send: Verb = {
  run: command(
    'send',
    'Send a message; it waits on disk until the device has it',
    {
      peer: {
        type: 'positional',
        required: true,
        description: 'Name or peer id, several with commas, all, or @ and a group',
      },
      text: { type: 'positional', required: false, description: 'Text to send' },
      type: { type: 'string', valueHint: 'text|data', description: 'Kind of message' },
      data: { type: 'string', valueHint: 'JSON|@file', description: 'Send JSON instead of text' },
      file: { type: 'string', valueHint: 'F', description: 'Send a file, to one device' },
      queue: { type: 'boolean', description: 'Do not wait: it is sent when the device is there' },
      priority: {
        type: 'string',
        default: 'normal',
        valueHint: 'high|normal|low',
        description: 'To one device: what is higher overtakes what waits for it',
      },
    } as const,
    async ({ args, agent, output, signal }) => {
      const queue = args.queue === true;
      if ([args.text, args.data, args.file].filter((one) => one !== undefined).length !== 1)
        throw new PeerAiError('USAGE', 'give a text, --data or --file');
      if (args.file !== undefined) {
        const { sendFile } = await import('./files.ts');
        return sendFile((await agent()).client, { to: args.peer, path: args.file, queue }, output, signal);
      }
      const payload = args.data === undefined ? args.text : readData(args.data);
      const priority = readPriority(args.priority);
      const kind = args.type ?? (args.data === undefined ? 'text' : 'data');
      if (args.peer.startsWith('@'))
        return sendToGroup((await agent()).client, args.peer.slice(1), kind, payload, queue, output);
      const several = args.peer === 'all' ? 'all' : args.peer.split(',').filter((one) => one !== '');
      if (several === 'all' || several.length > 1) {
        const { deliveries } = await (await agent()).client.broadcast(several, kind, payload, queue);
        output.data({ deliveries }, () => lines(deliveries));
        if (deliveries.some(({ state }) => state === 'refused')) process.exitCode = 5;
        return;
      }
      const delivery = await (await agent()).client.send(args.peer, kind, payload, priority, queue);
      output.data({ delivery }, () =>
        delivery.state === 'queued'
          ? 'Queued: sent when the device is there.'
          : `${delivery.state}${delivery.code === undefined ? '' : ` (${delivery.code})`}${byWay[delivery.path ?? 'link']}`,
      );
      if (delivery.state === 'refused') process.exitCode = 5;
    },
  ),
};

function readPriority(text: string): MessagePriority {
  if (text === 'high' || text === 'normal' || text === 'low') return text;
  throw new PeerAiError('USAGE', `--priority is high, normal or low, not "${text}"`);
}

function lines(deliveries: BroadcastView['deliveries']): string {
  if (deliveries.length === 0) return 'No device is paired yet.';
  const said = ({ state, code, path }: BroadcastView['deliveries'][number]): string =>
    `${state}${code === undefined ? '' : ` (${code})`}${state === 'delivered' ? byWay[path ?? 'link'] : ''}`;
  return table(deliveries.map((delivery) => [delivery.name, said(delivery)]));
}

export const inbox: Verb = {
  run: command(
    'inbox',
    'Messages received, newest last',
    { follow: { type: 'boolean', alias: 'f', description: 'Go on printing' } } as const,
    async ({ args, agent, output, signal }) => {
      const { client } = await agent();
      const messages = (await client.messages(signal)).toReversed();
      if (!output.json || args.follow !== true)
        output.data({ messages }, () => (messages.length === 0 ? 'Nothing yet.' : messages.map(line).join('\n')));
      if (args.follow !== true) return;
      for await (const event of client.events(signal)) {
        if (event.type === 'message-received') output.data({ message: event.message }, () => line(event.message));
      }
    },
  ),
};

function line({ sentMs, fromName, kind, payload }: MessageView): string {
  const text = typeof payload === 'string' ? payload : JSON.stringify(payload);
  return `${new Date(sentMs).toISOString().slice(0, 16).replace('T', ' ')}  ${fromName}  ${kind === 'text' ? '' : `[${kind}] `}${text}`;
}
