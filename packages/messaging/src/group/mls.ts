import {
  equalBytes,
  fromUtf8,
  parsePeerId,
  PeerAiError,
  type PeerId,
  peerIdFromPublicKey,
  utf8,
  wire,
} from '@peerai/core-protocol';
import {
  type Capabilities,
  type CiphersuiteImpl,
  type ClientConfig,
  type ClientState,
  createApplicationMessage,
  createCommit,
  createGroup,
  type Credential,
  decodeGroupState,
  decodeMlsMessage,
  defaultKeyPackageEqualityConfig,
  defaultLifetime,
  defaultLifetimeConfig,
  defaultPaddingConfig,
  emptyPskIndex,
  encodeGroupState,
  encodeMlsMessage,
  type Extension,
  generateKeyPackageWithKey,
  type IncomingMessageCallback,
  joinGroup,
  type KeyPackage,
  type MLSMessage,
  type PrivateKeyPackage,
  processPrivateMessage,
  type Proposal,
} from 'ts-mls';
import { makeKeyPackageRef } from 'ts-mls/keyPackage.js';
import { limits } from './limits.ts';
import { mlsSuite, type SuiteDeps } from './suite.ts';

/** A group's secrets and members as ts-mls keeps them; never changed, always replaced. */
export type GroupState = ClientState;

/** What all members agree on besides the keys: the name, and the one member whose commits count. */
export interface GroupFacts {
  readonly name: string;
  readonly committer: PeerId;
}
export interface KeyPackagePair {
  readonly ref: Uint8Array;
  readonly message: Uint8Array;
  readonly secrets: PrivateKeyPackage;
}
export interface CommitChange {
  /** Key packages of peers that come in, as their peers sent them. */
  readonly add?: readonly { readonly peer: PeerId; readonly keyPackage: Uint8Array }[];
  readonly remove?: readonly PeerId[];
  readonly committer?: PeerId;
}
export interface Committed {
  readonly state: GroupState;
  readonly commit: Uint8Array;
  readonly welcome: Uint8Array | undefined;
}
/** What a message of the group was. */
export type Processed =
  | { readonly kind: 'application'; readonly state: GroupState; readonly plain: Uint8Array }
  | { readonly kind: 'commit'; readonly state: GroupState; readonly isRemoved: boolean };

export interface Mls {
  keyPackage(): Promise<KeyPackagePair>;
  found(id: Uint8Array, facts: GroupFacts): Promise<GroupState>;
  /** Throws INVALID_FORMAT (a key package that is none, or somebody else's), LIMIT_EXCEEDED (a longer one), what ts-mls finds wrong as REFUSED. */
  commit(state: GroupState, change: CommitChange): Promise<Committed>;
  seal(state: GroupState, plain: Uint8Array): Promise<{ readonly state: GroupState; readonly message: Uint8Array }>;
  /** Throws INVALID_FORMAT, REFUSED: not of this group, not from its committer, read before, or too old. */
  open(state: GroupState, message: Uint8Array): Promise<Processed>;
  /** The references of the key packages that a welcome is for. Throws INVALID_FORMAT. */
  welcomed(welcome: Uint8Array): readonly Uint8Array[];
  /** Throws INVALID_FORMAT, REFUSED. */
  join(welcome: Uint8Array, pair: Omit<KeyPackagePair, 'ref'>): Promise<GroupState>;
  encode(state: GroupState): Uint8Array;
  /** Throws INTERNAL for bytes that `encode` never wrote. */
  decode(bytes: Uint8Array): GroupState;
}

/** Private use, RFC 9420 section 17.3. */
const factsExtension = 0xf0a1;
const factsCodec = wire.message({ name: wire.string(1), committer: wire.string(2) });
const capabilities: Capabilities = {
  versions: ['mls10'],
  ciphersuites: ['MLS_128_DHKEMX25519_CHACHA20POLY1305_SHA256_Ed25519'],
  extensions: [factsExtension],
  proposals: [],
  credentials: ['basic'],
};

export function groupId(state: GroupState): Uint8Array {
  return state.groupContext.groupId;
}
export const epochOf = (state: GroupState): bigint => state.groupContext.epoch;
/** The members, in the order of their leaves. */
export function membersOf(state: GroupState): readonly PeerId[] {
  return leaves(state).map(({ peer }) => peer);
}
/** Throws INVALID_FORMAT for a group that is not one of ours. */
export function factsOf(state: GroupState): GroupFacts {
  const found = state.groupContext.extensions.find(({ extensionType }) => extensionType === factsExtension);
  if (found === undefined) throw new PeerAiError('INVALID_FORMAT', 'the group says neither name nor committer');
  const { name, committer } = factsCodec.decode(found.extensionData);
  checkName(name);
  return { name, committer: parsePeerId(committer) };
}
export function checkName(name: string): void {
  const { length } = utf8(name);
  if (length < 1 || length > limits.nameBytesMax) {
    throw new PeerAiError('LIMIT_EXCEEDED', `a group's name has 1 to ${limits.nameBytesMax} bytes`);
  }
}
/** Group and epoch of a message that only members can read. Throws INVALID_FORMAT. */
export function headOf(message: Uint8Array): { readonly group: Uint8Array; readonly epoch: bigint } {
  const read = decodeMessage(message);
  if (read.wireformat !== 'mls_private_message') throw invalid('the message is not one for members');
  return { group: read.privateMessage.groupId, epoch: read.privateMessage.epoch };
}

export function createMls(deps: SuiteDeps): Mls {
  const suite = mlsSuite(deps);
  const { peer, publicKey } = deps.identity;
  const credential: Credential = { credentialType: 'basic', identity: utf8(peer) };
  const newKeyPackage = async () =>
    generateKeyPackageWithKey(
      credential,
      capabilities,
      defaultLifetime,
      [],
      { signKey: new Uint8Array(), publicKey },
      suite,
    );
  return {
    keyPackage: async () => {
      const { publicPackage, privatePackage } = await newKeyPackage();
      const ref = await makeKeyPackageRef(publicPackage, suite.hash);
      return { ref, message: encodeKeyPackage(publicPackage), secrets: privatePackage };
    },
    found: async (id, facts) => {
      const { publicPackage, privatePackage } = await newKeyPackage();
      return createGroup(id, publicPackage, privatePackage, [extension(facts)], suite, clientConfig);
    },
    commit: (state, change) => refusing(() => commit(suite, state, change)),
    seal: async (state, plain) => {
      const { newState, privateMessage } = await createApplicationMessage(state, plain, suite);
      const message = encodeMlsMessage({ version: 'mls10', wireformat: 'mls_private_message', privateMessage });
      return { state: newState, message };
    },
    open: (state, message) => refusing(() => open(suite, state, message)),
    welcomed: (welcome) => decodeWelcome(welcome).secrets.map(({ newMember }) => newMember),
    join: (welcome, { message, secrets }) =>
      refusing(async () => {
        const [wanted, mine] = [decodeWelcome(welcome), decodeKeyPackage(message)];
        const state = await joinGroup(wanted, mine, secrets, emptyPskIndex, suite, undefined, undefined, clientConfig);
        const members = membersOf(state);
        if (members.length > limits.membersMax)
          throw new PeerAiError('LIMIT_EXCEEDED', 'the group has too many members');
        if (!members.includes(factsOf(state).committer)) throw invalid('the committer is not a member');
        return state;
      }),
    encode: (state) => encodeGroupState(state),
    decode: (bytes) => {
      const read = decodeGroupState(bytes, 0);
      if (read === undefined) throw new PeerAiError('INTERNAL', 'a group on disk is damaged');
      return { ...read[0], clientConfig };
    },
  };
}

/** A leaf speaks for a peer when its key is the one in that peer's id: MLS needs no other proof of who a member is. */
const clientConfig: ClientConfig = {
  keyRetentionConfig: {
    retainKeysForEpochs: limits.epochsKept,
    retainKeysForGenerations: limits.keysKept,
    maximumForwardRatchetSteps: limits.ratchetStepsMax,
  },
  // Key packages are made when they are asked for and used once; ts-mls would judge their dates by a clock that is not ours.
  lifetimeConfig: { ...defaultLifetimeConfig, validateLifetimeOnReceive: false },
  keyPackageEqualityConfig: defaultKeyPackageEqualityConfig,
  paddingConfig: defaultPaddingConfig,
  authService: {
    validateCredential: async (credential, key) =>
      credential.credentialType === 'basic' &&
      key.length === 32 &&
      equalBytes(credential.identity, utf8(peerIdFromPublicKey(key))),
  },
};

async function commit(suite: CiphersuiteImpl, state: GroupState, change: CommitChange): Promise<Committed> {
  const proposals: Proposal[] = [];
  for (const { peer, keyPackage } of change.add ?? []) {
    const read = decodeKeyPackage(keyPackage);
    if (peerOf(read.leafNode.credential) !== peer) throw invalid('the key package is somebody else’s');
    proposals.push({ proposalType: 'add', add: { keyPackage: read } });
  }
  for (const peer of change.remove ?? []) {
    const leaf = leaves(state).find((one) => one.peer === peer);
    if (leaf !== undefined) proposals.push({ proposalType: 'remove', remove: { removed: leaf.index } });
  }
  if (change.committer !== undefined) {
    const extensions = [extension({ ...factsOf(state), committer: change.committer })];
    proposals.push({ proposalType: 'group_context_extensions', groupContextExtensions: { extensions } });
  }
  const options = { extraProposals: proposals, ratchetTreeExtension: true };
  const made = await createCommit({ state, cipherSuite: suite }, options);
  const { welcome } = made;
  return {
    state: made.newState,
    commit: encodeMlsMessage(made.commit),
    welcome:
      welcome === undefined ? undefined : encodeMlsMessage({ version: 'mls10', wireformat: 'mls_welcome', welcome }),
  };
}

const commitProposals = ['add', 'remove', 'group_context_extensions'];

async function open(suite: CiphersuiteImpl, state: GroupState, message: Uint8Array): Promise<Processed> {
  const read = decodeMessage(message);
  if (read.wireformat !== 'mls_private_message') throw invalid('the message is not one for members');
  const { committer } = factsOf(state);
  const judge: IncomingMessageCallback = (incoming) => {
    if (incoming.kind !== 'commit') return 'reject';
    const author = leaves(state).find(({ index }) => index === Number(incoming.senderLeafIndex));
    const isAllowed = incoming.proposals.every(({ proposal }) =>
      commitProposals.includes(String(proposal.proposalType)),
    );
    return author?.peer === committer && isAllowed ? 'accept' : 'reject';
  };
  const result = await processPrivateMessage(state, read.privateMessage, emptyPskIndex, suite, judge);
  if (result.kind === 'applicationMessage')
    return { kind: 'application', state: result.newState, plain: result.message };
  if (result.actionTaken === 'reject') throw new PeerAiError('REFUSED', 'only the committer changes a group');
  const isRemoved = result.newState.groupActiveState.kind === 'removedFromGroup';
  if (!isRemoved) checkCommitted(result.newState);
  return { kind: 'commit', state: result.newState, isRemoved };
}

function checkCommitted(state: GroupState): void {
  const members = membersOf(state);
  if (members.length > limits.membersMax) throw new PeerAiError('LIMIT_EXCEEDED', 'the group has too many members');
  if (!members.includes(factsOf(state).committer)) throw invalid('the committer is not a member');
}

const invalid = (text: string): PeerAiError => new PeerAiError('INVALID_FORMAT', text);
const extension = (facts: GroupFacts): Extension => ({
  extensionType: factsExtension,
  extensionData: factsCodec.encode({ ...facts }),
});

function leaves(state: GroupState): { readonly index: number; readonly peer: PeerId }[] {
  // RFC 9420 appendix C: leaf i is node 2i.
  return state.ratchetTree.flatMap((node, place) =>
    node?.nodeType === 'leaf' ? [{ index: place / 2, peer: peerOf(node.leaf.credential) }] : [],
  );
}

function peerOf(credential: Credential): PeerId {
  if (credential.credentialType !== 'basic') throw invalid('a member is known by its peer id');
  return parsePeerId(fromUtf8(credential.identity));
}

function decodeMessage(bytes: Uint8Array): MLSMessage {
  if (bytes.length > limits.mlsBytesMax) throw new PeerAiError('LIMIT_EXCEEDED', `${bytes.length} bytes of MLS`);
  let read: ReturnType<typeof decodeMlsMessage>;
  try {
    read = decodeMlsMessage(bytes, 0);
  } catch (cause) {
    throw new PeerAiError('INVALID_FORMAT', 'malformed MLS', {}, { cause });
  }
  if (read === undefined || read[1] !== bytes.length) throw invalid('malformed MLS');
  return read[0];
}
function decodeWelcome(bytes: Uint8Array) {
  const read = decodeMessage(bytes);
  if (read.wireformat !== 'mls_welcome') throw invalid('the message is not a welcome');
  return read.welcome;
}
function decodeKeyPackage(bytes: Uint8Array): KeyPackage {
  if (bytes.length > limits.keyPackageBytesMax) {
    throw new PeerAiError('LIMIT_EXCEEDED', `a key package has at most ${limits.keyPackageBytesMax} bytes`);
  }
  const read = decodeMessage(bytes);
  if (read.wireformat !== 'mls_key_package') throw invalid('the message is not a key package');
  return read.keyPackage;
}
const encodeKeyPackage = (keyPackage: KeyPackage): Uint8Array =>
  encodeMlsMessage({ version: 'mls10', wireformat: 'mls_key_package', keyPackage });

/** ts-mls, and our ciphers below it, throw errors of many kinds over foreign input; to us they are one. */
async function refusing<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (PeerAiError.is(cause, 'INVALID_FORMAT', 'LIMIT_EXCEEDED', 'REFUSED')) throw cause;
    throw new PeerAiError('REFUSED', 'MLS refuses this', {}, { cause });
  }
}
