import { createPrivateKey, createPublicKey, hash, sign, verify } from 'node:crypto';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { createIdentity } from '@peerai/core-protocol';
import { nodeCrypto } from '@peerai/core-protocol/crypto-node';
import { createSignatureThreads } from '@peerai/core-protocol/signature-threads';
import { createReceiptBook, openLedger } from '@peerai/ledger';
import { systemClock, systemRandom } from '@peerai/platform';
import { type FileStore, openStore } from '@peerai/platform/node';
import { freshFolder } from '../folder.ts';
import { type Bench, interleave, processorSeconds, resultOf } from '../harness.ts';

const notes = 6_400;
/** Leases whose receipts are exchanged at the same time, and how many each has. */
const leases = 8;
const receiptsEach = 300;
/** Enough that the last batch, which leaves the other cores idle, is less than a hundredth of a check. */
const receipts = leases * receiptsEach;
const rounds = 7;
const entryBytes = 420;

/** Entries a second that `verify` checks, on one core and on all, against the native hashes and signature checks they need? */
export const ledgerVerify: Bench = {
  name: 'ledger-verify',
  async run({ signal, log }) {
    using folder = freshFolder();
    const stores: FileStore[] = [];
    let stop: (() => Promise<void>) | undefined;
    const openRoom = async (name: string) => {
      const store = await openStore(join(folder.path, `${name}.sqlite`));
      stores.push(store);
      const deps = {
        identity: createIdentity(nodeCrypto, systemRandom.bytes(32)),
        crypto: nodeCrypto,
        clock: systemClock,
      };
      const ledger = await openLedger({ ...deps, store: store.room('ledger') });
      return { ...deps, ledger, book: createReceiptBook({ ...deps, store: store.room('receipts'), ledger }) };
    };
    try {
      const [plain, provider, consumer] = [
        await openRoom('plain'),
        await openRoom('provider'),
        await openRoom('consumer'),
      ];
      log('writing a log of statements and a log of receipts');
      const one = () => ({ kind: 'note', body: systemRandom.bytes(320) });
      for (let count = 0; count < notes; count += 800) await plain.ledger.append(Array.from({ length: 800 }, one));
      await exchange(provider, consumer);
      const verified = async (ledger: typeof plain.ledger, count: number): Promise<number> => {
        return count / (await processorSeconds(async () => check(await ledger.verify())));
      };
      const native = nativeRates();
      const cores = availableParallelism();
      const signatures = createSignatureThreads({ clock: systemClock });
      stop = () => signatures.stop();
      using everyCore = signaturesInThreads(cores + 1);
      const onAllCores = async (): Promise<number> => {
        const start = performance.now();
        check(await provider.ledger.verify({ verifyAside: async (signed) => signatures.allHold(signed) }));
        return (receipts * 1000) / (performance.now() - start);
      };
      const readings = await interleave(
        {
          statements: () => verified(plain.ledger, notes),
          receipts: () => verified(provider.ledger, receipts),
          onAllCores,
          everyCore: everyCore.rate,
          hashes: native.hashes,
          signatures: native.signatures,
        },
        { rounds, signal },
      );
      return {
        results: [
          resultOf({
            case: 'receipts, signed by both sides',
            unit: 'entries/s',
            candidate: readings.receipts,
            baseline: readings.signatures,
            goal: 0.9,
          }),
          resultOf({
            case: `receipts, on all ${cores} cores`,
            unit: 'entries/s',
            candidate: readings.onAllCores,
            baseline: readings.everyCore,
            goal: 0.9,
          }),
          resultOf({
            case: 'statements, without signatures of their own',
            unit: 'entries/s',
            candidate: readings.statements,
            baseline: readings.hashes,
          }),
        ],
        notes: [
          'Native, a receipt: two Ed25519 checks and the SHA-256 of leaf and tree node; a statement: the hashes alone, with no reading, decoding or chain.',
          'A second is a second of processor time, but on all cores one of the clock: there as many threads as the check has do nothing but what a receipt needs, so that a busy machine gives both the same share.',
        ],
      };
    } finally {
      await stop?.();
      for (const store of stores) await store.close();
    }
  },
};

function check({ ok }: { readonly ok: boolean }): void {
  if (!ok) throw new Error('the log does not verify');
}

type Side = {
  readonly identity: ReturnType<typeof createIdentity>;
  readonly book: ReturnType<typeof createReceiptBook>;
};

async function exchange(provider: Side, consumer: Side): Promise<void> {
  await Promise.all(
    Array.from({ length: leases }, async (_, lease) => {
      for (let count = 0; count < receiptsEach; count += 1) {
        const answer = {
          lease: new Uint8Array(8).fill(lease),
          requestId: `r${lease}.${count}`,
          model: 'nano',
          workHash: systemRandom.bytes(32),
        };
        const half = await provider.book.issue({
          ...answer,
          consumer: consumer.identity.peer,
          usage: { promptTokens: 12, answerTokens: 40 },
        });
        const full = await consumer.book.countersign(half, {
          ...answer,
          promptTokensMax: 100,
          answerTokensMax: 64,
          provider: provider.identity.peer,
        });
        await provider.book.complete(full);
      }
    }),
  );
}

/** What one entry costs at least, once its bytes are in memory. */
function nativeRates() {
  const pkcs8 = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), systemRandom.bytes(32)]);
  const secret = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' });
  const publicKey = createPublicKey(secret);
  const [entry, node, receipt] = [systemRandom.bytes(entryBytes + 1), systemRandom.bytes(65), systemRandom.bytes(250)];
  const signature = sign(null, receipt, secret);
  const hashes = (): void => {
    hash('sha256', entry, 'buffer');
    hash('sha256', node, 'buffer');
  };
  const rate = (count: number, work: () => void) => async (): Promise<number> => {
    const seconds = await processorSeconds(() => {
      for (let index = 0; index < count; index += 1) work();
    });
    return count / seconds;
  };
  return {
    hashes: rate(20_000, hashes),
    signatures: rate(600, () => {
      verify(null, receipt, publicKey, signature);
      verify(null, receipt, publicKey, signature);
      hashes();
    }),
  };
}

/** The work of a receipt alone, in so many threads at once, by the clock. */
function signaturesInThreads(threads: number): Disposable & { readonly rate: () => Promise<number> } {
  const program = `
    const { generateKeyPairSync, hash, randomBytes, sign, verify } = require('node:crypto');
    const { parentPort } = require('node:worker_threads');
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    const [entry, node, receipt] = [randomBytes(${entryBytes + 1}), randomBytes(65), randomBytes(250)];
    const signature = sign(null, receipt, privateKey);
    parentPort.on('message', (count) => {
      for (let index = 0; index < count; index += 1) {
        verify(null, receipt, publicKey, signature);
        verify(null, receipt, publicKey, signature);
        hash('sha256', entry, 'buffer');
        hash('sha256', node, 'buffer');
      }
      parentPort.postMessage(count);
    });`;
  const workers = Array.from({ length: threads }, () => new Worker(program, { eval: true }));
  const share = Math.ceil(receipts / threads);
  return {
    async rate() {
      const start = performance.now();
      await Promise.all(
        workers.map(async (worker) => {
          const done = once(worker, 'message');
          worker.postMessage(share, []);
          await done;
        }),
      );
      return (share * threads * 1000) / (performance.now() - start);
    },
    [Symbol.dispose]() {
      for (const worker of workers) void worker.terminate();
    },
  };
}
