import { writeFileSync } from 'node:fs';
import { PeerAiError } from '@peerai/core-protocol';
import type { ControlClient, MarketOffersView, MarketView, MeteredLeaseView, VerdictView } from '@peerai/peer/control';
import { command, type Verb } from '../command.ts';
import { table } from '../plain.ts';
import { disputeFlags, evidenceFlags, savedText, standingText, unlessDone } from './evidence-file.ts';
import { points, reward, rewards, votedPolicy } from './market-points.ts';
import { drop, files, get, leaseStorage, offerStorage, oneOf, prove, put, storageText } from './market-storage.ts';
import { sizeText } from '../open-file.ts';
import { creditsOf, readFileText, wholeOf } from '../read-data.ts';
import { ago, counted, creditsText } from '../words.ts';
import { deploy, leaseTable, payout, settlement } from './settlement.ts';

const idChars = 12;
const model = { type: 'positional', required: true, description: 'Name of a model' } as const;
const maybeModel = { ...model, required: false } as const;
const lease = {
  type: 'positional',
  required: true,
  description: 'Id from `peerai market leases`, or its beginning',
} as const;

const ls = command('ls', 'What devices offer, and what this peer offers', {} as const, async (context) => {
  const { client } = await context.agent();
  const [found, own] = [await client.marketOffers(context.signal), await client.market(context.signal)];
  const stored = await client.storage(context.signal);
  for (const { peerName, code, message } of found.unanswered)
    if (code !== 'REFUSED') context.output.note(`${peerName} did not say: ${message}`);
  const { v, ...others } = found;
  context.output.data({ v, ...others, ownStorage: stored.offer, own: own.offers }, () =>
    [offersText(found, own), ...(stored.offer === null ? [] : [storageText(stored)])].join('\n\n'),
  );
});
const offer = command(
  'offer',
  'Offer a model of this peer, or room for bytes, to devices with the right `borrow`',
  {
    model: maybeModel,
    storage: { type: 'string', valueHint: 'SIZE', description: 'Room for bytes instead, such as 10GB, in all leases' },
    price: {
      type: 'string',
      required: true,
      valueHint: 'C',
      description: 'Credits for 1,000 tokens, or for a MiB and an hour',
    },
    tokens: { type: 'string', valueHint: 'N', description: 'Tokens of one lease at the most; 1,000,000 unless said' },
    minutes: { type: 'string', valueHint: 'M', description: 'Longest lease; 1,440 unless said, 43,200 of storage' },
  } as const,
  async ({ args, agent, output }) => {
    const credits = creditsOf('price', args.price);
    if (oneOf(args.model, args.storage) === 'storage') {
      const { client } = await agent();
      const found = await offerStorage(client, { ...args, storage: args.storage ?? '' });
      output.note('Devices need the right: peerai peers allow <peer> borrow.');
      output.data(found, () => storageText(found));
      return;
    }
    const market = await (
      await agent()
    ).client.offerModel({
      model: args.model ?? '',
      credits,
      ...(args.tokens === undefined ? {} : { tokensMax: wholeOf('tokens', args.tokens) }),
      ...(args.minutes === undefined ? {} : { minutesMax: wholeOf('minutes', args.minutes) }),
    });
    output.note('Devices need the right: peerai peers allow <peer> borrow. Who may chat has it for nothing.');
    output.data(market, () => ownText(market));
  },
);
const withdraw = command(
  'withdraw',
  'Offer a model, or room for bytes, no more',
  { model: maybeModel, storage: { type: 'boolean', description: 'Room for bytes' } } as const,
  async ({ args, agent, output }) => {
    const { client } = await agent();
    if (oneOf(args.model, args.storage) === 'storage') {
      const before = await client.storage();
      // Nothing to do is no failure.
      const found = before.offer === null ? before : await client.withdrawStorage();
      output.data(found, () => storageText(found));
      return;
    }
    const market = await client.withdrawModel(args.model ?? '');
    output.data(market, () => ownText(market));
  },
);
const buy = command(
  'buy',
  'Lease a model of a device, or room for bytes: counted until time or tokens are over',
  {
    peer: { type: 'positional', required: true, description: 'Name or peer id' },
    model: maybeModel,
    storage: { type: 'string', valueHint: 'SIZE', description: 'Room for bytes instead, such as 1GB' },
    tokens: { type: 'string', valueHint: 'N', description: 'Prompts and answers together; 100,000 unless said' },
    minutes: { type: 'string', valueHint: 'M', description: 'How long; 60 unless said, 1,440 of storage' },
    price: {
      type: 'string',
      valueHint: 'C',
      description: 'Credits for 1,000 tokens, or a MiB and an hour, at the most',
    },
  } as const,
  async ({ args, agent, output, signal }) => {
    const { peer, tokens, minutes, storage } = args;
    const price = args.price === undefined ? undefined : creditsOf('price', args.price);
    if (oneOf(args.model, storage) === 'storage') {
      const done = await leaseStorage((await agent()).client, { ...args, storage: storage ?? '' }, signal);
      output.note(`Store a file: peerai market put ${done.lease.id.slice(0, idChars)} <file>`);
      output.data(done, () => leaseText(done.lease));
      return;
    }
    const wish = {
      peer,
      model: args.model ?? '',
      ...(tokens === undefined ? {} : { tokens: wholeOf('tokens', tokens) }),
      ...(minutes === undefined ? {} : { minutes: wholeOf('minutes', minutes) }),
      ...(price === undefined ? {} : { creditsMax: price }),
    };
    const done = await (await agent()).client.leaseModel(wish, signal);
    output.note(`Ask it: peerai run ${args.model ?? ''}@${done.lease.peerName}`);
    output.data(done, () => leaseText(done.lease));
  },
);
const leases = command(
  'leases',
  'Leases of models and storage, newest first',
  {} as const,
  async ({ agent, output, signal }) => {
    const found = await (await agent()).client.market(signal);
    output.data({ v: 1, leases: found.leases, deposits: found.deposits }, () => {
      if (found.leases.length === 0) return 'No lease yet. What there is: peerai market ls';
      const head = ['ID', 'ROLE', 'PEER', 'WHAT', 'STATE', 'USED', 'DUE', 'LOCKED', 'WHEN'];
      return leaseTable(head, found.leases, rowOf, found.deposits);
    });
  },
);
const balance = command(
  'balance',
  'Who owes whom, leases of nodes included',
  {} as const,
  async ({ agent, output, signal }) => {
    const { unit, mostMicro, balances } = await (await agent()).client.market(signal);
    output.note(unit);
    output.data({ v: 1, unit, mostMicro, balances }, () => {
      if (balances.length === 0) return 'Nobody owes anybody anything.';
      const rows = balances.map((one) => [
        one.peerName,
        one.owesMicro.startsWith('-') ? '' : creditsText(one.owesMicro),
        one.owesMicro.startsWith('-') ? creditsText(one.owesMicro.slice(1)) : '',
        creditsText(one.lockedByUsMicro),
        creditsText(one.lockedByThemMicro),
      ]);
      return table([['PEER', 'WE OWE', 'OWES US', 'OUR LOCK', 'THEIR LOCK'], ...rows]);
    });
  },
);
const settle = command(
  'settle',
  'End a lease with what both sides signed',
  { id: lease } as const,
  async ({ args, agent, output, signal }) => {
    const { client } = await agent();
    const done = await unlessDone(client.settleLease(args.id, signal), async () => {
      const lease = await leaseOf(client, args.id);
      return lease?.agreed === true ? { v: 1 as const, lease } : undefined;
    });
    output.data(done, () => leaseText(done.lease));
  },
);
const dispute = command(
  'dispute',
  'End a lease without the other’s yes, and write down the evidence',
  { id: lease, ...disputeFlags } as const,
  async ({ args, agent, output, signal }) => {
    const done = await (await agent()).client.disputeLease(args.id, args.reason, signal);
    if (args.save !== undefined) writeFileSync(args.save, done.evidence);
    const where =
      args.save === undefined ? 'Keep the evidence with --json or --save.' : `The evidence is in ${args.save}.`;
    output.data(done, () => `${leaseText(done.lease)}\n${where}`);
  },
);
const check = command(
  'check',
  'What a file of evidence proves, without asking anybody',
  { file: { type: 'positional', required: true, description: 'A file of `peerai market dispute --save`' } } as const,
  async ({ args, output }) => {
    const [{ checkEvidence, judgeLease }, { nodeCrypto }] = await Promise.all([
      import('@peerai/ledger/market'),
      import('@peerai/core-protocol/crypto-node'),
    ]);
    const { standing, evidence, refused, hash } = checkEvidence(nodeCrypto, readFileText(args.file), Date.now());
    const { lender, borrower, paid, price, n, resource, state } = standing;
    const facts = { lease: evidence.lease, resource, lender, borrower, receipts: n, refused, hash };
    const verdict = judgeLease(nodeCrypto, evidence.lease, evidence.documents);
    const faults = [...verdict.faults].map(([peerId, fault]) => ({ peerId, fault }));
    const amounts = { paidMicro: `${paid}`, priceMicro: `${price}` };
    output.data({ v: 1, ...facts, ...amounts, faults, reason: evidence.reason }, () =>
      table([
        ['lease', evidence.lease],
        ['lender', lender],
        ['borrower', borrower],
        [
          'signed by both',
          `${counted(n, 'receipt', 'receipts')}, ${creditsText(`${paid}`)} of ${creditsText(`${price}`)} credits`,
        ],
        ['it stands', state === 'active' ? 'nothing here ends it, and its time is not over' : standingText[state]],
        ['said, not proven', evidence.reason],
        ...(refused === 0 ? [] : [['left out', `${counted(refused, 'document', 'documents')} that prove nothing`]]),
        ...faults.map(({ peerId, fault }) => ['speaks against', `${peerId}: ${fault}`]),
        ['hash', hash],
      ]),
    );
  },
);
const evidence = command(
  'evidence',
  'Write down what both signed about a lease, for others to check',
  { id: lease, ...evidenceFlags } as const,
  async ({ args, agent, output }) => {
    const { client } = await agent();
    const found = await client.leaseEvidence(args.id, args.reason ?? (await standing(client, args.id)));
    writeFileSync(args.save, found.evidence);
    output.data(found, () => savedText(args.save));
  },
);
const judge = command(
  'judge',
  'What a file of evidence decides; it counts in the reputation of the two here',
  { file: { type: 'positional', required: true, description: 'A file of `peerai market evidence`' } } as const,
  async ({ args, agent, output }) => {
    const verdict = await (await agent()).client.judgeEvidence(readFileText(args.file));
    output.data(verdict, () => verdictText(verdict));
  },
);
const policy = command(
  'policy',
  'Incentives that hold in your group, as names and values it can vote on; or checks a file of them',
  {
    file: { type: 'positional', required: false, description: 'JSON; without one what your group decided' },
    group: { type: 'string', valueHint: 'GROUP', description: 'Which, where you are in several' },
  } as const,
  async ({ args, agent, output, signal }) => {
    const { incentivePolicy, incentiveValues } = await import('@peerai/ledger/incentives');
    if (args.file === undefined) {
      const found = await agent()
        .then(({ client }) => votedPolicy(client, args.group, signal))
        .catch((error: unknown) => {
          if (args.group === undefined && PeerAiError.is(error, 'AGENT_NOT_RUNNING')) return undefined;
          throw error;
        });
      if (found !== undefined) {
        const how = found.voted ? 'as its members voted' : 'the seed’s rules, as it voted on none yet';
        output.note(`${found.group}: ${how}. To change one: peerai gov propose ${found.group} "…" --set NAME=N`);
        output.data({ v: 1, ...found }, () =>
          table(Object.entries(found.values).map(([name, value]) => [name, value])),
        );
        return;
      }
      output.note('You are in no group: these are the seed’s rules.');
    }
    const values = incentiveValues(incentivePolicy(args.file === undefined ? {} : valuesOf(readFileText(args.file))));
    output.data({ v: 1, values }, () => table(Object.entries(values).map(([name, value]) => [name, value])));
  },
);
export const market: Verb = {
  run: ls,
  subs: {
    ls,
    offer,
    withdraw,
    buy,
    leases,
    balance,
    settle,
    dispute,
    evidence,
    check,
    judge,
    put,
    get,
    files,
    drop,
    prove,
    points,
    reward,
    rewards,
    policy,
    settlement,
    deploy,
    payout,
  },
};

/** Throws USAGE. */
function valuesOf(text: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new PeerAiError('USAGE', `this policy is not JSON: ${(cause as Error).message}`, {}, { cause });
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new PeerAiError('USAGE', 'a policy is a map of names to values');
}

function ownText({ offers }: MarketView): string {
  if (offers.length === 0) return 'This peer offers no model. To offer one: peerai market offer <model> --price 0.5';
  const rows = offers.map((one) => [
    one.model,
    creditsText(one.unitPriceMicro),
    `${one.tokensMax}`,
    `${one.minutesMax}`,
  ]);
  return table([['OFFERED HERE', 'CREDITS/1000', 'TOKENS', 'MINUTES'], ...rows]);
}

function offersText({ models, nodes, storage }: MarketOffersView, own: MarketView): string {
  const rows = models.map((one) => [
    one.peerName,
    one.model,
    `${creditsText(one.unitPriceMicro)} for 1,000 tokens`,
    `${one.tokensMax} tokens, ${counted(one.minutesMax, 'minute', 'minutes')}`,
  ]);
  const lent = nodes.map((one) => [
    one.peerName,
    `${one.free} nodes`,
    `${creditsText(one.nodeHourMicro)} for a node and an hour`,
    counted(one.minutesMax, 'minute', 'minutes'),
  ]);
  const stores = storage.map((one) => [
    one.peerName,
    sizeText(one.freeBytes),
    `${creditsText(one.unitPriceMicro)} for a MiB and an hour`,
    counted(one.minutesMax, 'minute', 'minutes'),
  ]);
  const all = [...rows, ...lent, ...stores];
  const theirs =
    all.length === 0 ? 'No device offers anything now.' : table([['PEER', 'WHAT', 'CREDITS', 'AT THE MOST'], ...all]);
  return `${theirs}\n\n${ownText(own)}`;
}

/** How a lease stands here, by its id or its beginning; who names none is told by the agent. */
async function standing(client: ControlClient, id: string): Promise<string> {
  return standingText[(await leaseOf(client, id))?.state ?? 'active'];
}
const leaseOf = async (client: ControlClient, id: string): Promise<MeteredLeaseView | undefined> =>
  (await client.market()).leases.find((one) => one.id.startsWith(id));

const rowOf = (one: MeteredLeaseView): string[] => [
  one.id.slice(0, idChars),
  one.role,
  one.peerName,
  one.resource === 'model' ? one.model : 'storage',
  one.state,
  one.resource === 'model' ? `${one.tokensUsed}/${one.tokensMax}` : `up to ${sizeText(one.tokensMax)}`,
  creditsText(one.dueMicro),
  creditsText(one.lockedMicro),
  ago(one.sinceMs),
];

function verdictText({ lease, lender, borrower, disputed, faults, winner }: VerdictView): string {
  const of = `Lease ${lease.slice(0, idChars)} of ${lender.name} for ${borrower.name}${disputed ? ', in dispute' : ''}.`;
  if (faults.length === 0)
    return `${of}\nNo signature speaks against either. Whether work was good is not decided by documents.`;
  const said = faults.map(
    ({ name, text, counted: isCounted }) => `${name} ${text}${isCounted ? '' : ' (not counted here)'}.`,
  );
  return [of, ...said, ...(winner === null ? [] : [`${winner.name} is in the right.`])].join('\n');
}

const leaseText = (one: MeteredLeaseView): string =>
  [
    `Lease ${one.id.slice(0, idChars)} of ${one.resource === 'model' ? one.model : sizeText(one.tokensMax)} with ${one.peerName} is ${one.state}.`,
    `${one.resource === 'model' ? `${counted(one.answers, 'answer', 'answers')}, ${one.tokensUsed} of ${one.tokensMax} tokens` : counted(one.answers, 'proof', 'proofs')}; ${creditsText(one.dueMicro)} of ${creditsText(one.priceMicro)} credits are due, ${creditsText(one.lockedMicro)} locked.`,
  ].join('\n');
