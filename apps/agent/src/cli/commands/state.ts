import { PeerAiError } from '@peerai/core-protocol';
import type { ControlClient, DocumentContents, DocumentView } from '@peerai/peer/control';
import { command, type Verb } from '../command.ts';
import { table } from '../plain.ts';
import { readData, readText } from '../read-data.ts';

const which = { document: { type: 'positional', required: true, description: 'Name or id of the document' } } as const;
const withPeer = { ...which, peer: { type: 'positional', required: true, description: 'Name or peer id' } } as const;
const membersOf = ({ members }: DocumentView): string => members.map(({ name }) => name).join(', ');

const ls = command('ls', 'Documents this peer has', {}, async ({ agent, output, signal }) => {
  const documents = await (await agent()).client.documents(signal);
  output.data({ documents }, () => {
    if (documents.length === 0) return 'None yet. Make one: peerai state create <name> --with <peer,peer>';
    const rows = documents.map((one) => [
      one.name,
      membersOf(one),
      `${one.keys}`,
      `${one.textChars}`,
      one.id.slice(0, 8),
    ]);
    return table([['NAME', 'SHARED BY', 'KEYS', 'TEXT', 'ID'], ...rows]);
  });
});

const create = command(
  'create',
  'Make a document that devices, or the members of a group, write together',
  {
    name: { type: 'positional', required: true, description: 'What it is called' },
    with: { type: 'string', valueHint: 'peer,peer', description: 'Devices that share it' },
    group: { type: 'string', valueHint: 'GROUP', description: 'Group whose members share it' },
  } as const,
  async ({ args, agent, output }) => {
    const members = args.with === undefined ? [] : args.with.split(',').filter((one) => one !== '');
    if (members.length > 0 && args.group !== undefined) throw new PeerAiError('USAGE', 'give --with or --group');
    const request = { name: args.name, members, ...(args.group === undefined ? {} : { group: args.group }) };
    const document = await (await agent()).client.createDocument(request);
    output.data({ document }, () => `Made ${document.name}, shared by ${membersOf(document)}.`);
  },
);

const get = command(
  'get',
  'What a document says: all of it, or the value of one key',
  { ...which, key: { type: 'positional', required: false, description: 'Key' } } as const,
  async ({ args, agent, output, signal }) => {
    const contents = await (await agent()).client.document(args.document, signal);
    const { key } = args;
    if (key === undefined) return output.data(contents, () => whole(contents));
    if (!Object.hasOwn(contents.values, key)) throw noKey(key);
    const value = contents.values[key];
    output.data({ key, value }, () => (typeof value === 'string' ? value : JSON.stringify(value)));
  },
);

const noKey = (key: string): PeerAiError => new PeerAiError('NOT_FOUND', `it has no key "${key}"`);

/** What somebody may have meant as JSON: `"x"`, `5`, `true`, `{"a":1}`. */
function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function whole({ values, text }: DocumentContents): string {
  const rows = Object.entries(values).map(([key, value]) => [key, JSON.stringify(value)]);
  if (rows.length === 0 && text === '') return 'Nothing yet.';
  return [...(rows.length === 0 ? [] : [table(rows)]), ...(text === '' ? [] : [text])].join('\n\n');
}

const set = command(
  'set',
  'Give a key a value',
  {
    ...which,
    key: { type: 'positional', required: true, description: 'Key' },
    value: { type: 'positional', required: false, description: 'Text, kept letter by letter, quotes included' },
    data: { type: 'string', valueHint: 'JSON|@file', description: 'JSON instead of text: 5, true, {"a":1}' },
  } as const,
  async ({ args, agent, output }) => {
    if ((args.value === undefined) === (args.data === undefined))
      throw new PeerAiError('USAGE', 'give a value or --data');
    const value = args.data === undefined ? args.value : readData(args.data);
    await (await agent()).client.changeDocument(args.document, { set: { [args.key]: value } });
    const isMistaken = args.value !== undefined && isJson(args.value);
    output.data({ key: args.key, value }, () =>
      isMistaken ? 'Set, as a text, letter by letter. JSON is set with --data.' : 'Set.',
    );
  },
);

const rm = command(
  'rm',
  'Remove a key, or the whole document from this peer; the others keep theirs',
  { ...which, key: { type: 'positional', required: false, description: 'Key' } } as const,
  async ({ args, agent, output }) => {
    const { client } = await agent();
    if (args.key === undefined) await client.forgetDocument(args.document);
    else {
      const { values } = await client.document(args.document);
      if (!Object.hasOwn(values, args.key)) throw noKey(args.key);
      await client.changeDocument(args.document, { remove: [args.key] });
    }
    output.data({ removed: args.key ?? args.document }, () => 'Removed.');
  },
);

const text = command(
  'text',
  'Print its text, or replace it; what others write elsewhere in it stays',
  { ...which, text: { type: 'positional', required: false, description: 'New text, or @file' } } as const,
  async ({ args, agent, output, signal }) => {
    const { client } = await agent();
    const contents =
      args.text === undefined
        ? await client.document(args.document, signal)
        : await client.changeDocument(args.document, { text: readText(args.text) });
    output.data({ text: contents.text }, () => (args.text === undefined ? contents.text : 'Written.'));
  },
);

const share = command('share', 'Share it with one more device', withPeer, async ({ args, agent, output }) => {
  const document = await (await agent()).client.shareDocument(args.document, [args.peer]);
  output.data({ document }, () => `Shared by ${membersOf(document)}.`);
});

const unshare = command(
  'unshare',
  'Let a device have no later changes; it keeps what it has',
  withPeer,
  async ({ args, agent, output }) => {
    const document = await (await agent()).client.unshareDocument(args.document, args.peer);
    output.data({ document }, () => `Shared by ${membersOf(document)}.`);
  },
);

const watch = command(
  'watch',
  'Print what changes, until Ctrl-C',
  { document: { type: 'positional', required: false, description: 'Name or id of one document' } } as const,
  async ({ args, agent, output, signal }) => {
    const { client } = await agent();
    const only = args.document === undefined ? undefined : (await client.document(args.document, signal)).document.id;
    for await (const event of client.events(signal)) {
      if (event.type !== 'state-changed' || (only !== undefined && event.documentId !== only)) continue;
      const { documentId, keys } = event;
      const contents = await contentsOf(client, documentId, signal);
      const values = Object.fromEntries(keys.map((key) => [key, contents?.values[key] ?? null]));
      const changed = {
        id: documentId,
        name: contents?.document.name ?? null,
        values,
        text: event.text ? (contents?.text ?? null) : null,
      };
      output.data({ changed }, () => line(changed));
    }
  },
);

/** Nothing where the document was removed here. */
async function contentsOf(
  client: ControlClient,
  id: string,
  signal: AbortSignal,
): Promise<DocumentContents | undefined> {
  try {
    return await client.document(id, signal);
  } catch (error) {
    if (PeerAiError.is(error, 'DOCUMENT_UNKNOWN')) return undefined;
    throw error;
  }
}

interface Changed {
  readonly id: string;
  readonly name: string | null;
  readonly values: Readonly<Record<string, unknown>>;
  readonly text: string | null;
}
function line({ id, name, values, text: written }: Changed): string {
  const said = Object.entries(values).map(([key, value]) => `${key} = ${JSON.stringify(value)}`);
  if (written !== null) said.push(`text, ${written.length} characters`);
  const what = name === null ? 'removed here' : said.length === 0 ? 'who shares it' : said.join(', ');
  return `${name ?? id.slice(0, 8)}  ${what}`;
}

export const state: Verb = { run: ls, subs: { ls, create, get, set, rm, text, share, unshare, watch } };
