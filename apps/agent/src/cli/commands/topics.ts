import { PeerAiError } from '@peerai/core-protocol';
import { command, type Verb } from '../command.ts';
import { readData } from '../read-data.ts';

const topic = { topic: { type: 'positional', required: true, description: 'Name of the topic' } } as const;

export const pub: Verb = {
  run: command(
    'pub',
    'Say something to every device that listens to a topic now',
    {
      ...topic,
      text: { type: 'positional', required: false, description: 'Text to publish' },
      data: { type: 'string', valueHint: 'JSON|@file', description: 'Publish JSON instead of text' },
    } as const,
    async ({ args, agent, output }) => {
      if ((args.text === undefined) === (args.data === undefined))
        throw new PeerAiError('USAGE', 'give a text or --data');
      const payload = args.data === undefined ? args.text : readData(args.data);
      const published = await (await agent()).client.publish(args.topic, payload);
      output.data({ published }, () => 'Published.');
    },
  ),
};

const filtered = {
  ...topic,
  where: { type: 'string', valueHint: 'FILTER', description: 'Only messages like "room=kitchen and celsius>20"' },
} as const;

export const sub: Verb = {
  run: command('sub', 'Print what devices publish on a topic, until Ctrl-C', filtered, async (context) => {
    const { args, agent, output, signal } = context;
    for await (const message of (await agent()).client.subscribe(args.topic, signal, args.where)) {
      const { fromName, payload, sentMs } = message;
      const text = typeof payload === 'string' ? payload : JSON.stringify(payload);
      output.data(message, () => `${new Date(sentMs).toISOString().slice(11, 19)}  ${fromName}  ${text}`);
    }
  }),
};
