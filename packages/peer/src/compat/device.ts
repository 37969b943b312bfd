import { callMethod, PeerAiError, type PeerId, reasonOf, serveMethod } from '@peerai/core-protocol';
import { createErrorExchange, type ErrorExchange } from '@peerai/nn-engine/cluster';
import { memoryMethod, plainQuestion } from '../memory/memory-protocol.ts';
import { Chain, type ChainStats } from './chain.ts';
import { type Chapter, Clusters } from './clusters.ts';
import type { DeviceDeps, DeviceNews, MeetingPoint } from './deps.ts';
import { deviceMethod } from './device-protocol.ts';
import type { GroupBlocks } from './group-blocks.ts';
import { Learning } from './learning.ts';
import { limits } from './limits.ts';
import { Load } from './load.ts';
import { Memories } from './memories.ts';
import { Peers } from './peers.ts';

/** What came from another device and waits for `process_p2p_messages`. */
type Arrived =
  | { readonly kind: 'message'; readonly from: PeerId; readonly text: string }
  | { readonly kind: 'memory' | 'error' | 'learning'; readonly from: PeerId };

/** What is open once a device has links. */
export interface Online {
  readonly point: MeetingPoint;
  readonly peers: Peers;
  readonly errors: ErrorExchange;
  readonly learning: Learning;
  /** Of a device in a group. */
  readonly group: GroupBlocks | undefined;
}

/** The parts below the seed's class, each opened when it is first needed and once. */
export class Device {
  readonly id: string;
  readonly deps: DeviceDeps;
  readonly clusters: Clusters;
  readonly stopping = new AbortController();
  readonly #load: Load;
  #memories: Promise<Memories> | undefined;
  #chain: Promise<Chain> | undefined;
  #online: Promise<Online> | undefined;
  /** What is there already, for those who cannot wait. */
  #now: Online | undefined;
  #inbox: Arrived[] = [];
  #dropped = 0;
  #writing: Promise<void> = Promise.resolve();
  #waiting = 0;
  #unwritten = 0;
  #writeError: unknown;

  constructor(id: string, deps: DeviceDeps) {
    this.id = id;
    this.deps = deps;
    this.#load = new Load(deps.clock);
    const seed = (): number => new DataView(deps.random.bytes(4).buffer).getUint32(0);
    this.clusters = new Clusters(seed, (chapter) => this.#write(chapter));
  }

  get signal(): AbortSignal {
    return this.stopping.signal;
  }

  get online(): Online | undefined {
    return this.#now;
  }

  measured<T>(work: () => T): T {
    return this.#load.measure(work);
  }

  memories(): Promise<Memories> {
    this.#mustRun();
    return (this.#memories ??= Memories.open(this.deps, this.id).catch((error: unknown) => {
      this.#memories = undefined;
      throw error;
    }));
  }

  chain(): Promise<Chain> {
    this.#mustRun();
    return (this.#chain ??= Chain.open(this.deps).catch((error: unknown) => {
      this.#chain = undefined;
      throw error;
    }));
  }

  /** Opens the links when there are none. Throws what the meeting point throws. */
  goOnline(): Promise<Online> {
    this.#mustRun();
    return (this.#online ??= this.#open().catch((error: unknown) => {
      this.#online = undefined;
      throw error;
    }));
  }

  /** Everything experienced so far is remembered, or the first error of that is thrown. */
  async written(): Promise<void> {
    await this.#writing;
    const [error, lost] = [this.#writeError, this.#unwritten];
    this.#writeError = undefined;
    this.#unwritten = 0;
    if (error !== undefined) throw error;
    if (lost > 0)
      throw new PeerAiError('LIMIT_REACHED', `clusters stepped faster than capsules are written: ${lost} were dropped`);
  }

  news(): DeviceNews {
    const load = this.#load.now();
    const { lending, learning } = this.deps;
    return {
      status: {
        is_available: true,
        is_processing: load >= 0.3,
        active_queries: 0,
        processing_load: Math.round(load * 1_000) / 1_000,
        last_activity: this.#load.lastActivityMs,
      },
      resources: { available_nodes: this.clusters.nodeCount() },
      capabilities: [
        'memory_sharing',
        'webrtc_p2p',
        ...(learning === undefined ? [] : ['collaborative_learning']),
        ...(lending === undefined ? [] : ['node_lending']),
      ],
      specializations: [...this.clusters.names()],
    };
  }

  /** Hands over what came. @returns how many things came since the last call. */
  processArrived(): number {
    const arrived = this.#inbox;
    this.#inbox = [];
    const { onMessage } = this.deps;
    for (const one of arrived)
      if (one.kind === 'message') onMessage?.(this.online?.peers.nameOf(one.from) ?? one.from, one.text);
    return arrived.length;
  }

  get arrived(): { readonly waiting: number; readonly dropped: number } {
    return { waiting: this.#inbox.length, dropped: this.#dropped };
  }

  /** Hands a capsule to a device, which checks and keeps it. Throws PEER_UNREACHABLE, and what the other says. */
  async share(capsule: string, peer: PeerId): Promise<void> {
    const { point } = await this.goOnline();
    const signed = await (await this.memories()).handOut(capsule);
    const question = { ...plainQuestion, kind: 'share' as const, signed };
    const { clock } = this.deps;
    await callMethod({ network: point.network, clock }, peer, memoryMethod, question, { signal: this.signal });
  }

  /** Closes what came in this device's log; in a group, then the group's next block over it. @returns the group's hash or the log's root, hex; '' for neither. */
  async mine(): Promise<string> {
    const chain = await this.chain();
    const root = await chain.mine();
    const group = await this.#group();
    return group === undefined ? root : group.mine(chain.lastBlock);
  }

  async validate(): Promise<boolean> {
    const group = await this.#group();
    const stated = group === undefined ? [] : await group.verify();
    return stated !== undefined && (await this.chain()).validate(stated);
  }

  async chainStats(): Promise<ChainStats> {
    const stats = await (await this.chain()).stats();
    const group = await (await this.#group())?.stats();
    return group === undefined ? stats : { ...stats, group_blocks: group.blocks, group_pending: group.pending };
  }

  /** Safe to call twice. */
  async stop(): Promise<void> {
    if (this.signal.aborted) return;
    await this.#writing;
    this.stopping.abort(new PeerAiError('ABORTED', 'this device was freed'));
    await (await this.#memories?.catch(() => undefined))?.close();
    const online = await this.#online?.catch(() => undefined);
    await online?.group?.stop();
    await online?.point.stop();
    this.#now = undefined;
  }

  #mustRun(): void {
    if (this.signal.aborted) throw reasonOf(this.signal);
  }

  async #open(): Promise<Online> {
    const { deps, signal } = this;
    let peers: Peers | undefined;
    const isGranted = (peer: PeerId): boolean =>
      peers?.granted.has(peer) === true || deps.group?.members.includes(peer) === true || deps.accepts?.(peer) === true;
    const point = await deps.open(isGranted);
    const { network } = point;
    peers = new Peers(point, deps.clock, signal);
    const errors = createErrorExchange(
      { ...deps, network },
      {
        signal,
        onSignal: ({ cluster, origin, error }) => {
          const [first] = error;
          if (first === undefined || !this.clusters.has(cluster)) return;
          this.measured(() => this.clusters.learn(cluster, first));
          this.#arrive({ kind: 'error', from: origin });
        },
      },
    );
    const closed = async (statement: Uint8Array): Promise<void> => (await this.chain()).recordRound(statement);
    const learning = new Learning({ ...deps, network, learning: deps.learning, closed, stopping: signal });
    this.#answer(point, learning);
    await point.start();
    this.#now = { point, peers, errors, learning, group: await this.#openGroup(point) };
    return this.#now;
  }

  async #openGroup({ network }: MeetingPoint): Promise<GroupBlocks | undefined> {
    const { group, ...deps } = this.deps;
    if (group === undefined) return undefined;
    const { openGroupBlocks } = await import('./group-blocks.ts');
    return openGroupBlocks({ ...deps, network, stopping: this.signal }, group);
  }

  /** Opens the links of a device that is in a group. */
  async #group(): Promise<GroupBlocks | undefined> {
    return this.deps.group === undefined ? undefined : (await this.goOnline()).group;
  }

  #answer({ network }: MeetingPoint, learning: Learning): void {
    const { clock } = this.deps;
    const answers = [
      serveMethod(
        network,
        deviceMethod,
        async ({ kind, text = '', run = new Uint8Array() }, { peer }) => {
          if (text.length > limits.textCharsMax)
            throw new PeerAiError('LIMIT_EXCEEDED', `a text has at most ${limits.textCharsMax} characters`);
          if (kind === 'ping') return { outcome: 'alive' };
          if (kind === 'learn') {
            await learning.join(text, run, peer);
            this.#arrive({ kind: 'learning', from: peer });
            return { outcome: 'joined' };
          }
          this.#arrive({ kind: 'message', from: peer, text });
          return { outcome: 'taken' };
        },
        { clock },
      ),
      serveMethod(
        network,
        memoryMethod,
        async ({ kind, signed = new Uint8Array() }, { peer }) => {
          if (kind !== 'share')
            throw new PeerAiError('UNSUPPORTED', 'this device takes capsules and does nothing else');
          const outcome = await (await this.memories()).take(signed);
          this.#arrive({ kind: 'memory', from: peer });
          return { outcome, capsule: undefined, score: undefined, similarity: undefined, by: undefined };
        },
        { clock },
      ),
    ];
    this.signal.addEventListener('abort', () => answers.forEach((answer) => answer[Symbol.dispose]()), { once: true });
  }

  #arrive(one: Arrived): void {
    this.#inbox.push(one);
    if (this.#inbox.length <= limits.inboxMax) return;
    this.#inbox.shift();
    this.#dropped += 1;
  }

  /** In order, behind the steps that go on meanwhile. */
  #write(chapter: Chapter): void {
    if (this.#waiting >= limits.capsulesWaitingMax) {
      this.#unwritten += 1;
      return;
    }
    this.#waiting += 1;
    this.#writing = this.#remember(this.#writing, chapter);
  }

  async #remember(before: Promise<void>, chapter: Chapter): Promise<void> {
    await before;
    try {
      const { id } = await (await this.memories()).add(chapter, this.signal);
      await (await this.chain()).recordCapsule(id, chapter.cluster);
    } catch (error) {
      this.#writeError ??= error;
    } finally {
      this.#waiting -= 1;
    }
  }
}
