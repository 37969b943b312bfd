import type { Connection, Stream } from '@libp2p/interface';
import { byteStream } from '@libp2p/utils';
import {
  type Clock,
  concatBytes,
  type CryptoProvider,
  equalBytes,
  PeerAiError,
  type Random,
  utf8,
} from '@peerai/core-protocol';
import { transportError } from '../errors.ts';
import { limits } from '../limits.ts';

/** Before any other protocol, whoever dialled opens this; see docs/protocol/discovery.md. */
export const membershipProtocol = '/peerai/private-network/1';

const nonceBytes = 32;
const proofBytes = 32;
const yes = 1;

export interface MembershipDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly crypto: CryptoProvider;
  /** 32 bytes that every member knows. */
  readonly networkKey: Uint8Array;
  readonly self: string;
}

/** The dialler's half: its nonce, then its proof once the other side's is right. Throws PRIVATE_NETWORK. */
export async function proveAsDialler(deps: MembershipDeps, connection: Connection, stream: Stream): Promise<void> {
  const signal = deps.clock.deadline(limits.membershipMs);
  await told(stream, async () => {
    const bytes = byteStream(stream);
    const mine = deps.random.bytes(nonceBytes);
    await bytes.write(mine, { signal });
    const answer = (await bytes.read({ bytes: nonceBytes + proofBytes, signal })).slice();
    const about = {
      dialler: deps.self,
      answerer: connection.remotePeer.toString(),
      nonces: [mine, answer.subarray(0, nonceBytes)],
    };
    if (!equalBytes(answer.subarray(nonceBytes), proof(deps, 'answerer', about))) throw wrongKey();
    await bytes.write(proof(deps, 'dialler', about), { signal });
    const verdict = (await bytes.read({ bytes: 1, signal })).slice();
    if (verdict[0] !== yes) throw wrongKey();
  });
  stream.close({ signal }).catch(() => undefined);
}

/** The other half. Throws PRIVATE_NETWORK. */
export async function proveAsAnswerer(deps: MembershipDeps, connection: Connection, stream: Stream): Promise<void> {
  const signal = deps.clock.deadline(limits.membershipMs);
  await told(stream, async () => {
    const bytes = byteStream(stream);
    const theirs = (await bytes.read({ bytes: nonceBytes, signal })).slice();
    const mine = deps.random.bytes(nonceBytes);
    const about = { dialler: connection.remotePeer.toString(), answerer: deps.self, nonces: [theirs, mine] };
    await bytes.write(concatBytes(mine, proof(deps, 'answerer', about)), { signal });
    const answer = (await bytes.read({ bytes: proofBytes, signal })).slice();
    if (!equalBytes(answer, proof(deps, 'dialler', about))) throw wrongKey();
    await bytes.write(Uint8Array.of(yes), { signal });
  });
}

interface About {
  readonly dialler: string;
  readonly answerer: string;
  readonly nonces: readonly Uint8Array[];
}

/** HKDF-SHA-256 of the network's key, salted by both nonces, for who proves it and both peer ids as the link authenticated them. */
function proof(deps: MembershipDeps, role: 'dialler' | 'answerer', { dialler, answerer, nonces }: About): Uint8Array {
  const info = utf8([membershipProtocol, role, dialler, answerer].join('\n'));
  return deps.crypto.hkdfSha256(deps.networkKey, concatBytes(...nonces), info, proofBytes);
}

async function told(stream: Stream, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (cause) {
    const error = PeerAiError.is(cause, 'PRIVATE_NETWORK')
      ? cause
      : transportError(
          'PRIVATE_NETWORK',
          'the other side did not prove that it knows the key of this private network',
          {},
          cause,
        );
    if (stream.status === 'open') stream.abort(error);
    throw error;
  }
}

const wrongKey = (): PeerAiError =>
  transportError('PRIVATE_NETWORK', 'the other side is in another private network: its key differs from ours');
