import { createWriteStream } from 'node:fs';
import { rename } from 'node:fs/promises';
import { basename } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { PeerAiError } from '@peerai/core-protocol';
import type { ControlClient, MeteredLeaseDetail, StorageView } from '@peerai/peer/control';
import { parseSizeBytes } from '@peerai/platform';
import { command } from '../command.ts';
import { openFile, sizeText } from '../open-file.ts';
import { table } from '../plain.ts';
import { wholeOf } from '../read-data.ts';
import { ago, counted, creditsText } from '../words.ts';

const idChars = 12;
const lease = {
  type: 'positional',
  required: true,
  description: 'Id of a lease of storage, or its beginning',
} as const;
const file = {
  type: 'positional',
  required: true,
  description: 'Name or id from `peerai market files`, or its beginning',
} as const;

/** `peerai market offer --storage 10GB --price 0.01`. */
export async function offerStorage(
  client: ControlClient,
  {
    storage,
    price,
    minutes,
  }: { readonly storage: string; readonly price: string; readonly minutes?: string | undefined },
): Promise<StorageView> {
  const time = minutes === undefined ? {} : { minutesMax: wholeOf('minutes', minutes) };
  return client.offerStorage({ bytes: parseSizeBytes(storage), credits: price, ...time });
}

/** `peerai market buy <peer> --storage 1GB`. */
export async function leaseStorage(
  client: ControlClient,
  args: {
    readonly peer: string;
    readonly storage: string;
    readonly minutes?: string | undefined;
    readonly price?: string | undefined;
  },
  signal: AbortSignal,
): Promise<MeteredLeaseDetail> {
  const { peer, storage, minutes, price } = args;
  const wish = {
    peer,
    bytes: parseSizeBytes(storage),
    ...(minutes === undefined ? {} : { minutes: wholeOf('minutes', minutes) }),
    ...(price === undefined ? {} : { creditsMax: price }),
  };
  return client.leaseStorage(wish, signal);
}

export const put = command(
  'put',
  'Seal a file and store it at the lender of a lease',
  { lease, file: { type: 'positional', required: true, description: 'File of this machine' } } as const,
  async ({ args, agent, output, signal }) => {
    const { client } = await agent();
    output.progress(`${basename(args.file)}: sealing and sending`);
    const done = await client.storeFile(args.lease, basename(args.file), await openFile(args.file), signal);
    output.progress('');
    const { id, name, bytes, peerName } = done.file;
    output.data(
      done,
      () =>
        `${name} (${sizeText(bytes)}) is at ${peerName}, and shown to be. Back: peerai market get ${id.slice(0, idChars)}`,
    );
  },
);
export const get = command(
  'get',
  'Fetch a stored file back, whole and checked',
  {
    file,
    out: { type: 'string', valueHint: 'FILE', description: 'Write there; its own name unless said' },
  } as const,
  async ({ args, agent, output, signal }) => {
    const { client } = await agent();
    const { files } = await client.storage(signal);
    const known = files.find(({ id, name }) => id === args.file || name === args.file || id.startsWith(args.file));
    const out = args.out ?? basename(known?.name ?? args.file);
    const body = await client.storedFile(args.file, signal);
    // Half a file has another name.
    await pipeline(body, createWriteStream(`${out}.part`), { signal });
    await rename(`${out}.part`, out);
    output.data({ v: 1, file: args.file, out }, () => out);
  },
);
export const files = command('files', 'Files that others store for this peer', {} as const, async (context) => {
  const { client } = await context.agent();
  const found = await client.storage(context.signal);
  context.output.data(found, () => storageText(found));
});
export const drop = command(
  'drop',
  'Remove a stored file',
  { file } as const,
  async ({ args, agent, output, signal }) => {
    const found = await (await agent()).client.removeStoredFile(args.file, signal);
    output.data(found, () => storageText(found));
  },
);
export const prove = command(
  'prove',
  'Have the lender show now that it holds all',
  { lease } as const,
  async ({ args, agent, output, signal }) => {
    const found = await (await agent()).client.proveStorage(args.lease, signal);
    output.data(found, () => storageText(found));
  },
);

/** What is offered, leased and stored, in tables. */
export function storageText({ offer, leases, files: stored }: StorageView): string {
  const parts: string[] = [];
  if (offer !== null)
    parts.push(
      `Offered here: ${sizeText(offer.bytes)}, ${sizeText(offer.freeBytes)} free, ${creditsText(offer.unitPriceMicro)} credits for a MiB and an hour, ${counted(offer.minutesMax, 'minute', 'minutes')} at the most`,
    );
  if (leases.length > 0)
    parts.push(
      table([
        ['LEASE', 'ROLE', 'PEER', 'STATE', 'HELD', 'PROOFS', 'SHOWN'],
        ...leases.map((one) => [
          one.lease.slice(0, idChars),
          one.role,
          one.peerName,
          one.state,
          `${sizeText(one.heldBytes)} of ${sizeText(one.bytesMax)}`,
          one.failures === 0 ? `${one.proofs}` : `${one.proofs}, failed ${one.failures}`,
          one.provenMs === null ? '-' : ago(one.provenMs),
        ]),
      ]),
    );
  if (stored.length > 0)
    parts.push(
      table([
        ['FILE', 'NAME', 'AT', 'SIZE', 'STORED'],
        ...stored.map((one) => [
          one.id.slice(0, idChars),
          one.name,
          one.peerName,
          sizeText(one.bytes),
          ago(one.storedMs),
        ]),
      ]),
    );
  return parts.length === 0
    ? 'Nothing is stored. Room of others: peerai market ls; to lease some: peerai market buy <peer> --storage 1GB'
    : parts.join('\n\n');
}

/** Throws USAGE unless one of the two is named. */
export function oneOf(model: string | undefined, storage: unknown): 'model' | 'storage' {
  const isStorage = storage !== undefined && storage !== false;
  if ((model === undefined) === !isStorage) throw new PeerAiError('USAGE', 'name a model, or say --storage');
  return isStorage ? 'storage' : 'model';
}
