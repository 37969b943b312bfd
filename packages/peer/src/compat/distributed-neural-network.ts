import { PeerAiError, type PeerId } from '@peerai/core-protocol';
import type { ChainStats } from './chain.ts';
import type { ClusterView } from './clusters.ts';
import type { DeviceDeps, NodeLending } from './deps.ts';
import { Device } from './device.ts';
import type { SessionView } from './learning.ts';
import { limits } from './limits.ts';

/** What `get_p2p_network_stats` answers. */
export interface NetworkStats {
  readonly connected_peers: number;
  readonly known_peers: number;
  readonly pending_messages: number;
  /** Messages that came faster than they were processed. */
  readonly dropped_messages: number;
  /** One way, milliseconds, over the open connections; 0 without one. */
  readonly average_latency: number;
  /** Bytes sent and received over the open connections. */
  readonly total_bandwidth: number;
  readonly learning_sessions: readonly SessionView[];
}

/** What `get_vector_database_stats` answers. */
export interface DatabaseStats {
  readonly total_vectors: number;
  /** Bytes of sealed rows. */
  readonly total_memory_size: number;
  readonly average_vector_dimension: number;
  /** Different tags. */
  readonly semantic_clusters: number;
  readonly temporal_entries: number;
  /** Part of this device's own capsules that stand in its log, 0 to 1; 1 without any. */
  readonly blockchain_verified_rate: number;
}

const hourMs = 3_600_000;
const minuteMs = 60_000;

/**
 * The class of the DistributedNN prototype, with its names, over real parts: gating clusters, signed capsules, a log that verifies, links by WebRTC.
 * Which method does what, and where it differs, stands in the package's README. Where the prototype answered `false` or `''` for what did not work,
 * these throw a PeerAiError that says why.
 */
export class DistributedNeuralNetwork {
  readonly #device: Device;
  #minedMs: number;
  #consolidatedMs: number;
  #discoveredMs: number;

  /** Opens nothing: each part opens when it is first used. @param device_id - 1 to 128 of `A-Z a-z 0-9 _ . : -`. */
  constructor(device_id: string, deps: DeviceDeps) {
    if (!/^[\w.:-]{1,128}$/u.test(device_id))
      throw new PeerAiError('INVALID_OPTION', 'a device id has 1 to 128 characters of A-Z a-z 0-9 _ . : -');
    this.#device = new Device(device_id, deps);
    const nowMs = deps.clock.elapsedMs();
    [this.#minedMs, this.#consolidatedMs, this.#discoveredMs] = [nowMs, nowMs, nowMs];
  }

  /** Four inputs a node, one output. One of the same name is replaced. Throws INVALID_OPTION, LIMIT_REACHED. */
  create_cluster(cluster_id: string, num_nodes: number): boolean {
    this.#device.clusters.create(cluster_id, num_nodes);
    return true;
  }

  /** One step of up to four numbers. Every 60 steps become a capsule, written behind. @returns what each node gave. Throws NOT_FOUND, INVALID_OPTION. */
  process_input(cluster_id: string, input_data: ArrayLike<number>): Float64Array {
    return this.#device.measured(() => this.#device.clusters.process(cluster_id, input_data));
  }

  /** Learns from an error of −1 to 1; beyond that it counts as ±1. Throws NOT_FOUND, INVALID_OPTION. */
  update_error_signal(cluster_id: string, error: number): void {
    this.#device.measured(() => this.#device.clusters.learn(cluster_id, error));
  }

  get_cluster_state(cluster_id: string): ClusterView | null {
    return this.#device.clusters.view(cluster_id) ?? null;
  }

  /** A step of every cluster without input; what came is processed; and by the clock, every 10 s a block, 2 min a discovery, 5 min a consolidation. */
  async step_simulation(delta_time: number): Promise<void> {
    const { clusters, deps } = this.#device;
    this.#device.measured(() => clusters.names().forEach((name) => clusters.process(name, [], delta_time)));
    this.process_p2p_messages();
    const nowMs = deps.clock.elapsedMs();
    if (nowMs - this.#minedMs >= limits.mineMs) {
      this.#minedMs = nowMs;
      // A group whose members are away decides later: the head waits.
      await this.mine_block().catch((error: unknown) => {
        if (!PeerAiError.is(error, 'TIMEOUT')) throw error;
      });
    }
    if (nowMs - this.#consolidatedMs >= limits.consolidateMs) {
      this.#consolidatedMs = nowMs;
      await this.consolidate_long_term_memory();
    }
    if (nowMs - this.#discoveredMs >= limits.discoverMs && this.is_connected_to_signaling_server()) {
      this.#discoveredMs = nowMs;
      await this.start_peer_discovery();
    }
  }

  /** @param query_vector - up to 16 numbers. @param context_tags - separated by commas. @returns JSON, best first. Throws INVALID_OPTION, LIMIT_EXCEEDED. */
  async semantic_memory_search(query_vector: ArrayLike<number>, context_tags = '', max_results = 10): Promise<string> {
    await this.#device.written();
    const memories = await this.#device.memories();
    return JSON.stringify(await memories.search(query_vector, context_tags, max_results, this.#device.signal));
  }

  /** @returns JSON: how many, by tag, and the means of the earlier and the later half. */
  async get_memory_trends(): Promise<string> {
    await this.#device.written();
    return JSON.stringify((await this.#device.memories()).trends());
  }

  /** @returns whether anything was too old or was merged. */
  async consolidate_long_term_memory(): Promise<boolean> {
    await this.#device.written();
    return (await this.#device.memories()).consolidate(this.#device.signal);
  }

  async get_vector_database_stats(): Promise<DatabaseStats> {
    await this.#device.written();
    const [memories, chain] = [await this.#device.memories(), await this.#device.chain()];
    const { capsules, bytes } = memories.state;
    const own = [...memories.own()];
    const recorded = own.filter(({ id }) => chain.hasCapsule(id)).length;
    return {
      total_vectors: capsules,
      total_memory_size: bytes,
      average_vector_dimension: capsules === 0 ? 0 : limits.contextNumbers,
      semantic_clusters: memories.tagCount(),
      temporal_entries: capsules,
      blockchain_verified_rate: own.length === 0 ? 1 : recorded / own.length,
    };
  }

  /** Registers at a relay's signalling, `ws://…` or `wss://…`; without a path `/signal` is meant. Throws INVALID_FORMAT, PEER_UNREACHABLE, NAME_TAKEN, TIMEOUT. */
  async configure_signaling_server(server_url: string): Promise<boolean> {
    const { peers } = await this.#device.goOnline();
    await peers.join(server_url, () => this.#device.news(), this.#device.signal);
    return true;
  }

  is_connected_to_signaling_server(): boolean {
    return this.#device.online?.peers.joined === true;
  }

  /** Asks the relay who shares memory. Throws INVALID_STATE without a relay, TIMEOUT. */
  async start_peer_discovery(): Promise<boolean> {
    await (await this.#device.goOnline()).peers.discover(this.#device.signal);
    return true;
  }

  /** Devices that somebody else discovered. @param peers_json - a list as `discovery_result` has it. Throws INVALID_FORMAT, LIMIT_EXCEEDED. */
  async handle_discovery_results(peers_json: string): Promise<boolean> {
    (await this.#device.goOnline()).peers.learn(parsed(peers_json));
    return true;
  }

  /** @returns JSON. */
  get_discovered_peers(): string {
    return JSON.stringify(this.#device.online?.peers.discovered() ?? []);
  }

  /** Devices with nodes whose measured load is below 0.3. @returns JSON. */
  find_free_nodes(): string {
    return JSON.stringify(this.#device.online?.peers.free() ?? []);
  }

  /** Connects to a free one, any of them. @returns its device id. Throws NOT_FOUND when none is free, and what connecting throws. */
  async auto_connect_to_free_node(): Promise<string> {
    const free = (await this.#device.goOnline()).peers.free();
    const [byte = 0] = this.#device.deps.random.bytes(1);
    const chosen = free[byte % Math.max(1, free.length)];
    if (chosen === undefined) throw new PeerAiError('NOT_FOUND', 'no discovered device is free');
    await this.initiate_webrtc_connection(chosen.device_id);
    return chosen.device_id;
  }

  /** @returns JSON. */
  get_node_availability_stats(): string {
    const all = this.#device.online?.peers.discovered().filter(({ is_here }) => is_here) ?? [];
    const free = this.#device.online?.peers.free().length ?? 0;
    return JSON.stringify({
      total_peers: all.length,
      free_nodes: free,
      busy_nodes: all.length - free,
      availability_ratio: all.length === 0 ? 0 : free / all.length,
    });
  }

  /** Tells the relay this device's load now; it is told every 20 s anyway. Throws INVALID_STATE, TIMEOUT. */
  async send_heartbeat(): Promise<boolean> {
    await (await this.#device.goOnline()).peers.heartbeat(this.#device.signal);
    return true;
  }

  /** @param connection_info - '' or JSON of the device as `discovery_result` has it, for one that was not discovered here. Throws DEVICE_UNKNOWN, PEER_UNREACHABLE. */
  async connect_to_peer(peer_id: string, connection_info = ''): Promise<boolean> {
    if (connection_info !== '') (await this.#device.goOnline()).peers.learn([parsed(connection_info)]);
    return this.initiate_webrtc_connection(peer_id);
  }

  /** A WebRTC data channel, the other's key proved over it, and one answer. Throws DEVICE_UNKNOWN, PEER_UNREACHABLE, REFUSED, TIMEOUT. */
  async initiate_webrtc_connection(target_device_id: string): Promise<boolean> {
    await (await this.#device.goOnline()).peers.connect(target_device_id, this.#device.signal);
    return true;
  }

  /** Throws DEVICE_UNKNOWN. */
  async close_webrtc_connection(peer_id: string): Promise<boolean> {
    await (await this.#device.goOnline()).peers.disconnect(peer_id);
    return true;
  }

  is_peer_connected_webrtc(peer_id: string): boolean {
    return this.#device.online?.peers.isLinked(peer_id) === true;
  }

  /** Asks every connected device for an answer. @returns whether all gave one. */
  async check_webrtc_connections(): Promise<boolean> {
    const peers = this.#device.online?.peers;
    if (peers === undefined) return true;
    const answers = await Promise.all(peers.linked().map((peer) => peers.answers(peer, this.#device.signal)));
    return answers.every(Boolean);
  }

  /** @returns JSON: each open connection with its latency and bytes. */
  get_webrtc_stats(): string {
    const connections = this.#device.online?.peers.links() ?? [];
    return JSON.stringify({ total_connections: connections.length, connections });
  }

  /** To one device, or with the text alone to all that are connected. Throws NOT_FOUND when none is, LIMIT_EXCEEDED, DEVICE_UNKNOWN, and what the other says. */
  send_direct_message(message: string): Promise<boolean>;
  send_direct_message(peer_id: string, message: string): Promise<boolean>;
  async send_direct_message(first: string, second?: string): Promise<boolean> {
    const { peers } = await this.#device.goOnline();
    const [to, text] = second === undefined ? [peers.linked(), first] : [[peers.peerOf(first)], second];
    if (to.length === 0) throw new PeerAiError('NOT_FOUND', 'no device is connected');
    if (text.length > limits.textCharsMax)
      throw new PeerAiError('LIMIT_EXCEEDED', `a message has at most ${limits.textCharsMax} characters`);
    const question = { kind: 'message', text, run: undefined } as const;
    await Promise.all(to.map((peer) => peers.ask(peer, question, this.#device.signal)));
    return true;
  }

  /** Shares what the cluster lived through last, at least one step. Throws NOT_FOUND without any, DEVICE_UNKNOWN, and what the other says. */
  async share_memory_with_peer(peer_id: string, cluster_id: string): Promise<boolean> {
    const peer = (await this.#device.goOnline()).peers.peerOf(peer_id);
    this.#device.clusters.endChapter(cluster_id);
    await this.#device.written();
    const capsule = (await this.#device.memories()).newest(cluster_id);
    if (capsule === undefined) throw new PeerAiError('NOT_FOUND', 'this cluster has lived through nothing yet');
    await this.#device.share(capsule.id, peer);
    return true;
  }

  /** Leads a run of `@peerai/nn-engine/rounds` and invites. @returns the session's id. Throws UNSUPPORTED, LIMIT_EXCEEDED, PEER_UNREACHABLE when nobody comes. */
  async start_collaborative_learning(peer_ids: readonly string[], task_description: string): Promise<string> {
    if (task_description.length > limits.textCharsMax)
      throw new PeerAiError('LIMIT_EXCEEDED', `a task has at most ${limits.textCharsMax} characters`);
    const { peers, learning } = await this.#device.goOnline();
    const invited = peer_ids.map((id) => peers.peerOf(id));
    return learning.lead(task_description, invited, (peer, run) =>
      peers.ask(peer, { kind: 'learn', text: task_description, run }, this.#device.signal),
    );
  }

  /**
   * Sends the cluster's last error, signed, to every connected device; theirs of the same name learns from it.
   *
   * @param urgency - how much of it, in tenths: 10 and above is all. @returns to how many. Throws NOT_FOUND; INVALID_STATE before the first error.
   */
  propagate_error_to_peers(cluster_id: string, urgency: number): number {
    const error = this.#device.clusters.lastError(cluster_id);
    if (error === undefined) throw new PeerAiError('INVALID_STATE', 'this cluster was told no error yet');
    const { peers, errors } = this.#device.online ?? {};
    const to = peers?.linked().slice(0, limits.neighboursMax) ?? [];
    if (to.length === 0) return 0;
    errors?.setNeighbours(to);
    errors?.send(cluster_id, [(error * Math.max(0, Math.min(limits.urgencyMost, urgency))) / limits.urgencyMost]);
    return to.length;
  }

  /** Hands direct messages over. @returns how many things came since the last call; errors, capsules and invitations were used when they came. */
  process_p2p_messages(): number {
    return this.#device.processArrived();
  }

  get_p2p_network_stats(): NetworkStats {
    const { online, arrived } = this.#device;
    const links = online?.peers.links() ?? [];
    const sum = (pick: (link: (typeof links)[number]) => number): number =>
      links.reduce((total, link) => total + pick(link), 0);
    return {
      connected_peers: online?.peers.linked().length ?? 0,
      known_peers: online?.peers.discovered().length ?? 0,
      pending_messages: arrived.waiting,
      dropped_messages: arrived.dropped,
      average_latency: links.length === 0 ? 0 : sum(({ latency_ms }) => latency_ms) / links.length,
      total_bandwidth: sum(({ bytes_sent, bytes_received }) => bytes_sent + bytes_received),
      learning_sessions: online?.learning.sessions() ?? [],
    };
  }

  /** A node of a device for so many minutes. @returns the lease's id. Throws UNSUPPORTED without a lending part, DEVICE_UNKNOWN, and why there is none. */
  request_node_from_peer(peer_id: string, node_type: string, duration_minutes: number): Promise<string> {
    return this.#borrow(peer_id, node_type, duration_minutes * minuteMs);
  }

  /** As `request_node_from_peer`, in hours. */
  request_node_borrowing(owner_id: string, node_id: string, duration_hours: number): Promise<string> {
    return this.#borrow(owner_id, node_id, duration_hours * hourMs);
  }

  /** @param performance_data - what was measured, as JSON. Throws UNSUPPORTED, and why it cannot be given back. */
  async complete_node_borrowing(borrowing_id: string, performance_data: string): Promise<boolean> {
    return this.#lending().complete(borrowing_id, performance_data, this.#device.signal);
  }

  /** Tokens given minus tokens taken, by receipts that both sides signed. */
  async get_account_balance(): Promise<number> {
    return (await this.#device.chain()).balance();
  }

  async get_blockchain_stats(): Promise<ChainStats> {
    await this.#device.written();
    return this.#device.chainStats();
  }

  /**
   * Writes the signed head of what came since the last block into this device's log; in a group, then closes the group's next block over that head.
   * @returns the root it closes, hex, in a group the hash of its block; '' when nothing waits. Throws TIMEOUT when too few of the group answer; the head waits then.
   */
  async mine_block(): Promise<string> {
    await this.#device.written();
    return this.#device.mine();
  }

  /** Every entry, link, receipt and root of this device's log, and every block in it; in a group its whole chain too, and that this log continues each head stated there. */
  async validate_blockchain(): Promise<boolean> {
    await this.#device.written();
    return this.#device.validate();
  }

  /** Where a capsule stands in the log, with a proof. @returns JSON. Throws NOT_FOUND. */
  async get_memory_record(capsule_id: string): Promise<string> {
    await this.#device.written();
    const record = await (await this.#device.chain()).memoryRecord(capsule_id);
    if (record === undefined) throw new PeerAiError('NOT_FOUND', 'this capsule is not in the log of this device');
    return JSON.stringify(record);
  }

  /** Writes what waits, closes the connections, leaves the relay. Safe to call twice; the store is its owner's to close. */
  free(): Promise<void> {
    return this.#device.stop();
  }

  async #borrow(owner: string, node: string, durationMs: number): Promise<string> {
    const lending = this.#lending();
    if (!(durationMs > 0) || !Number.isFinite(durationMs))
      throw new PeerAiError('INVALID_OPTION', 'a node is borrowed for more than no time');
    const peer: PeerId = (await this.#device.goOnline()).peers.peerOf(owner);
    return lending.borrow({ owner: peer, node, durationMs }, this.#device.signal);
  }

  #lending(): NodeLending {
    const { lending } = this.#device.deps;
    if (lending === undefined) throw new PeerAiError('UNSUPPORTED', 'this device was opened without a lending part');
    return lending;
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new PeerAiError('INVALID_FORMAT', 'this is no JSON', {}, { cause });
  }
}
