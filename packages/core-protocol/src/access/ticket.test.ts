import { describe, expect, it } from 'vitest';
import { concatBytes, fromBase64Url, toBase64Url } from '../bytes.ts';
import { nobleCrypto as crypto } from '../crypto/noble.ts';
import { createIdentity } from '../identity/identity.ts';
import { openSigned, sealSigned } from '../identity/signed.ts';
import { limits } from '../limits.ts';
import { seededRandom } from '../testing/index.ts';
import { message, string } from '../wire/index.ts';
import { inviteLink, parseLink, shareLink, trainLink } from './link.ts';
import { decodeTicket, encodeTicket, proveTicket, readTicketProof, type Ticket, ticketProof } from './ticket.ts';

const random = seededRandom(12);
const provider = createIdentity(crypto, random.bytes(32));
const guest = createIdentity(crypto, random.bytes(32));
const relay = createIdentity(crypto, random.bytes(32));
const given: Omit<Ticket, 'version' | 'provider'> = {
  kind: 'share',
  id: random.bytes(8),
  name: 'Study PC',
  addresses: [
    `/dns4/relay.peerai.example/tcp/443/wss/p2p/${relay.peer}/p2p-circuit`,
    `/ip4/198.51.100.217/tcp/4101/p2p/${relay.peer}/p2p-circuit`,
  ],
  models: ['mistral:7b-instruct'],
  tokens: 20_000,
  expiresMs: 1_750_000_000_000,
  guests: 3,
  concurrency: 1,
  allow: [],
  secret: random.bytes(16),
};
const text = encodeTicket(provider, given);
const ticketTag = 'peerai/ticket/1';
const failure = (code: string) => expect.objectContaining({ code });

describe('A ticket', () => {
  it('comes back as it was given, with its provider', () => {
    expect(decodeTicket(crypto, text)).toEqual({ version: 1, provider: provider.peer, ...given });
  });

  it('stays under 600 characters with two relay addresses', () => {
    expect(text.length).toBeLessThan(600);
    expect(text).toMatch(/^[A-Za-z0-9_-]+$/);
  });

  it('is refused after any changed bit, wherever it is', () => {
    const bytes = fromBase64Url(text);
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      // All bits of every byte where a cheap check speaks first; one bit of each byte is enough inside the signed body.
      if (bit % 8 !== (bit >> 3) % 8) continue;
      const changed = bytes.slice();
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(() => decodeTicket(crypto, toBase64Url(changed))).toThrow(failure('TICKET_INVALID'));
    }
  });

  it('is refused when a character is lost, added or changed', () => {
    for (const place of [0, 1, 17, text.length - 2, text.length - 1]) {
      const other = text[place] === 'A' ? 'B' : 'A';
      for (const changed of [
        text.slice(0, place) + text.slice(place + 1),
        text.slice(0, place) + other + text.slice(place),
      ]) {
        expect(() => decodeTicket(crypto, changed)).toThrow(failure('TICKET_INVALID'));
      }
    }
    for (const junk of [
      '',
      'x',
      '%%%',
      'é'.repeat(40),
      'A'.repeat(limits.ticketCharsMax),
      'A'.repeat(limits.ticketCharsMax + 1),
    ]) {
      expect(() => decodeTicket(crypto, junk)).toThrow(failure('TICKET_INVALID'));
    }
  });

  it('is as long as a link may be and no longer, whoever makes it', () => {
    const ofLength = (name: number) => encodeTicket(provider, { ...given, addresses: [], name: 'x'.repeat(name) });
    const most = 500 + (limits.ticketCharsMax * 3) / 4 - fromBase64Url(ofLength(500)).length;
    expect(ofLength(most)).toHaveLength(limits.ticketCharsMax);
    expect(decodeTicket(crypto, ofLength(most)).name).toHaveLength(most);
    expect(() => ofLength(most + 1)).toThrow(failure('LIMIT_EXCEEDED'));
    // Another program's: a field of two bytes that this one does not know makes it too long.
    const longer = (name: number) => {
      const { body } = openSigned(crypto, ticketTag, fromBase64Url(ofLength(name)));
      return toBase64Url(sealSigned(provider, ticketTag, concatBytes(body, Uint8Array.of(15 << 3, 0))));
    };
    expect(longer(most - 2)).toHaveLength(limits.ticketCharsMax);
    expect(decodeTicket(crypto, longer(most - 2)).name).toHaveLength(most - 2);
    expect(() => decodeTicket(crypto, longer(most - 1))).toThrow(failure('TICKET_INVALID'));
  });

  it('is refused in another version, with field sizes or a tag of something else', () => {
    const short = encodeTicket(provider, { ...given, secret: random.bytes(15) });
    expect(() => decodeTicket(crypto, short)).toThrow(failure('TICKET_INVALID'));
    const otherTag = toBase64Url(sealSigned(provider, 'peerai/record/1', fromBase64Url(text)));
    expect(() => decodeTicket(crypto, otherTag)).toThrow(failure('TICKET_INVALID'));
  });

  it.each([
    ['addresses', limits.ticketAddressesMax],
    ['models', limits.ticketModelsMax],
    ['allow', limits.ticketRightsMax],
  ] as const)('names at most so many %s: %i, whoever makes it', (list, countMax) => {
    const plain = { ...given, addresses: [], models: [] };
    const names = Array.from({ length: countMax }, (_, place) => `x${place}`);
    expect(decodeTicket(crypto, encodeTicket(provider, { ...plain, [list]: names }))[list]).toEqual(names);
    expect(() => encodeTicket(provider, { ...plain, [list]: [...names, 'x'] })).toThrow(failure('LIMIT_EXCEEDED'));
    // Another program's, signed all the same: one name more behind the last of a full list.
    const full = openSigned(crypto, ticketTag, fromBase64Url(encodeTicket(provider, { ...plain, [list]: names }))).body;
    const field = { addresses: 5, models: 6, allow: 11 }[list];
    const more = concatBytes(full, message({ name: string(field) }).encode({ name: 'x' }));
    expect(() => decodeTicket(crypto, toBase64Url(sealSigned(provider, ticketTag, more)))).toThrow(
      failure('TICKET_INVALID'),
    );
  });
});

it('A ticket for a run comes back as one, and its link stands beside that of a share', () => {
  const train = encodeTicket(provider, { ...given, kind: 'train', models: [], allow: ['train'] });
  expect(decodeTicket(crypto, train)).toMatchObject({ kind: 'train', allow: ['train'] });
  for (const page of ['https://page.example', 'https://page.example/s', 'https://page.example/s/?x#y'])
    expect(trainLink(page, train)).toBe(`https://page.example/t#${train}`);
  // It is not for a chat: whoever pastes it there is told so.
  expect(() => parseLink(trainLink('https://page.example', train))).toThrow(failure('TICKET_INVALID'));
});

describe('The proof of a ticket', () => {
  const ticket = decodeTicket(crypto, text);

  it('fits the guest who made it, this provider and this ticket, and nothing else', () => {
    const { ticket: id, proof } = readTicketProof(proveTicket(crypto, ticket, guest.peer));
    expect(id).toEqual(ticket.id);
    expect(proof).toEqual(ticketProof(crypto, ticket.secret, ticket.id, provider.peer, guest.peer));
    for (const [secret, named, from, by] of [
      [random.bytes(16), ticket.id, provider.peer, guest.peer],
      [ticket.secret, random.bytes(8), provider.peer, guest.peer],
      [ticket.secret, ticket.id, guest.peer, guest.peer],
      [ticket.secret, ticket.id, provider.peer, relay.peer],
    ] as const) {
      expect(ticketProof(crypto, secret, named, from, by)).not.toEqual(proof);
    }
  });

  it('does not carry the secret', () => {
    const sent = proveTicket(crypto, ticket, guest.peer).join(',');
    expect(sent).not.toContain(ticket.secret.join(','));
  });
});

describe('A link', () => {
  it.each([
    [shareLink('https://relay.example', text), { kind: 'share', ticket: text, pageUrl: 'https://relay.example/s' }],
    [shareLink('http://127.0.0.1:8006/s', text), { kind: 'share', ticket: text, pageUrl: 'http://127.0.0.1:8006/s' }],
    [
      shareLink('https://relay.example/deep/s/?x#y', text),
      { kind: 'share', ticket: text, pageUrl: 'https://relay.example/deep/s' },
    ],
    [`peerai://join/${text}`, { kind: 'share', ticket: text }],
    [` \n${inviteLink(text)}/\n`, { kind: 'pair', ticket: text }],
    [`p2p://${provider.peer}@study-pc.local:4001`, { kind: 'seed', peer: provider.peer, host: 'study-pc.local:4001' }],
    [`p2p://${provider.peer}@[::1]:4001`, { kind: 'seed', peer: provider.peer, host: '[::1]:4001' }],
  ])('%s is understood', (link, parsed) => {
    expect(parseLink(link)).toEqual(parsed);
  });

  it('has at most so many characters, spaces around it counted', () => {
    const link = inviteLink(text);
    const padded = link.padEnd(limits.linkCharsMax);
    expect(parseLink(padded)).toEqual({ kind: 'pair', ticket: text });
    expect(() => parseLink(`${padded} `)).toThrow(failure('TICKET_INVALID'));
  });

  it('holds a ticket of so many characters and no longer', () => {
    const ticket = 'A'.repeat(limits.ticketCharsMax);
    expect(parseLink(inviteLink(ticket))).toEqual({ kind: 'pair', ticket });
    expect(() => parseLink(inviteLink(`${ticket}A`))).toThrow(failure('TICKET_INVALID'));
  });

  it.each([
    '',
    'https://relay.example/s',
    'https://relay.example/s#',
    `https://relay.example/other#${text}`,
    `https://relay.example/s?t=${text}`,
    `ftp://relay.example/s#${text}`,
    `javascript:alert(1)//s#${text}`,
    'peerai://join/',
    'peerai://join/not a ticket at all',
    `peerai://other/${text}`,
    `peerai://join/${'A'.repeat(limits.ticketCharsMax + 1)}`,
    'p2p://nobody@host',
    `p2p://${provider.peer}@`,
    `p2p://${provider.peer}@host/path?x`,
    `p2p://${provider.peer}@a@b`,
    'x'.repeat(5_000),
  ])('%s is refused', (link) => {
    expect(() => parseLink(link)).toThrow(failure('TICKET_INVALID'));
  });
});
