import { createIdentity, nobleCrypto, PeerAiError, toHex } from '@peerai/core-protocol';
import { DistributedNeuralNetwork, type PeerView } from '@peerai/peer/compat';
import { browserRandom, loadOrCreateBrowserSeed, openBrowserStore, systemClock } from '@peerai/platform/browser';
import { createSignalNode } from '@peerai/transport/signal';

/** One step of the cluster, milliseconds; and how often the rest of the page is drawn, steps. */
const [stepMs, drawSteps] = [100, 5];
const clusterId = 'waves';

function element<T extends HTMLElement>(id: string, kind: new () => T): T {
  const found = document.getElementById(id);
  if (found instanceof kind) return found;
  throw new Error(`the page has no ${id}`);
}
const button = (id: string) => element(id, HTMLButtonElement);
const say = (text: string): void => {
  const line = document.createElement('p');
  line.textContent = text;
  element('log', HTMLElement).prepend(line);
};

/** A tab is a device of its own, also beside another one of this browser; reloaded it is the same. */
const tabName = (): string => {
  const kept = sessionStorage.getItem('device') ?? `tab-${toHex(browserRandom.bytes(3))}`;
  sessionStorage.setItem('device', kept);
  return kept;
};

async function open(): Promise<DistributedNeuralNetwork> {
  const deviceId = tabName();
  const store = await openBrowserStore(`peerai-${deviceId}`);
  const { seed } = await loadOrCreateBrowserSeed(store);
  const quiet = (): void => undefined;
  const logger = { debug: quiet, info: quiet, warn: quiet, error: quiet };
  const world = { clock: systemClock, random: browserRandom, crypto: nobleCrypto, logger };
  element('device', HTMLElement).textContent = deviceId;
  return new DistributedNeuralNetwork(deviceId, {
    ...world,
    store,
    identity: createIdentity(nobleCrypto, seed),
    open: (isGranted) => createSignalNode({ ...world, seed, isGranted }, { deviceId }),
    accepts: () => element('accept', HTMLInputElement).checked,
    onMessage: (from, text) => say(`${from}: ${text}`),
  });
}

/** A button that does one thing at a time and tells how it went. */
function onPress(pressed: HTMLButtonElement, done: string, work: () => Promise<unknown>): void {
  pressed.addEventListener('click', (event) => {
    event.preventDefault();
    void press(pressed, done, work);
  });
}

async function press(pressed: HTMLButtonElement, done: string, work: () => Promise<unknown>): Promise<void> {
  pressed.disabled = true;
  try {
    const told = await work();
    say(typeof told === 'string' ? told : done);
  } catch (error) {
    say(PeerAiError.is(error) ? `Not done: ${error.message} (${error.code})` : `Not done: ${String(error)}`);
  } finally {
    pressed.disabled = false;
  }
}

function deviceButton(text: string, label: string, done: string, work: () => Promise<unknown>): HTMLButtonElement {
  const made = document.createElement('button');
  made.type = 'button';
  made.textContent = text;
  made.setAttribute('aria-label', label);
  onPress(made, done, work);
  return made;
}

function deviceRow(network: DistributedNeuralNetwork, { device_id: id }: PeerView, isLinked: boolean): HTMLLIElement {
  const row = document.createElement('li');
  const name = document.createElement('strong');
  name.textContent = id;
  row.append(name);
  if (!isLinked) {
    const connect = () => network.initiate_webrtc_connection(id);
    row.append(deviceButton('Connect', `Connect to ${id}`, `Connected to ${id}.`, connect));
    return row;
  }
  const share = () => network.share_memory_with_peer(id, clusterId);
  const greet = () => network.send_direct_message(id, 'hello from the other tab');
  const close = () => network.close_webrtc_connection(id);
  row.append(
    deviceButton('Share memory', `Share memory with ${id}`, `Shared memory with ${id}.`, share),
    deviceButton('Say hello', `Say hello to ${id}`, `Said hello to ${id}.`, greet),
    deviceButton('Close', `Close the connection to ${id}`, `Closed the connection to ${id}.`, close),
  );
  return row;
}

let drawn = '';
/** Rows are made anew only when something changed, so that a button keeps its focus. */
function drawDevices(network: DistributedNeuralNetwork): void {
  const devices = (JSON.parse(network.get_discovered_peers()) as readonly PeerView[]).map((device) => ({
    device,
    isLinked: network.is_peer_connected_webrtc(device.device_id),
  }));
  const shown = devices.filter(({ device, isLinked }) => device.is_here || isLinked);
  const now = shown.map(({ device, isLinked }) => `${device.device_id} ${isLinked}`).join();
  if (now === drawn) return;
  drawn = now;
  element('devices', HTMLUListElement).replaceChildren(
    ...shown.map(({ device, isLinked }) => deviceRow(network, device, isLinked)),
  );
}

async function drawState(network: DistributedNeuralNetwork): Promise<void> {
  const isJoined = network.is_connected_to_signaling_server();
  element('relay-state', HTMLElement).textContent = isJoined ? 'Connected.' : 'Not connected.';
  drawDevices(network);
  const [{ total_vectors }, { total_entries, total_blocks }] = [
    await network.get_vector_database_stats(),
    await network.get_blockchain_stats(),
  ];
  element('memory-state', HTMLElement).textContent =
    `${total_vectors} capsules; a log of ${total_entries} entries, ${total_blocks} of them blocks.`;
}

function drawCluster(network: DistributedNeuralNetwork): void {
  const state = network.get_cluster_state(clusterId);
  if (state === null) return;
  element('cluster-state', HTMLElement).textContent = `${state.num_nodes} nodes, ${state.steps} steps.`;
  const list = element('nodes', HTMLUListElement);
  while (list.children.length < state.num_nodes) list.append(document.createElement('li'));
  for (const [index, { fired }] of state.nodes.entries())
    list.children.item(index)?.classList.toggle('fired', fired !== undefined);
}

/** The cluster sees four waves. */
function stepCluster(network: DistributedNeuralNetwork, step: number): void {
  if (network.get_cluster_state(clusterId) === null) return;
  const waves = [7, 11, 17, 29].map((length) => Math.sin((2 * Math.PI * step) / length));
  network.process_input(clusterId, waves);
  drawCluster(network);
}

async function run(network: DistributedNeuralNetwork): Promise<never> {
  for (let step = 0; ; step += 1) {
    await systemClock.sleep(stepMs);
    stepCluster(network, step);
    const came = network.process_p2p_messages();
    if (came > 0) say(`${came} ${came === 1 ? 'thing' : 'things'} came from other devices.`);
    if (step % drawSteps === 0) await drawState(network).catch((error: unknown) => say(String(error)));
    if (step % 100 === 99) await network.mine_block();
  }
}

async function main(): Promise<void> {
  const network = await open();
  const relay = element('relay', HTMLInputElement);
  relay.value = new URLSearchParams(location.hash.slice(1)).get('relay') ?? '';
  const create = async () => network.create_cluster(clusterId, 16);
  onPress(button('create'), 'Created a cluster of 16 nodes.', create);
  onPress(button('connect-relay'), 'Connected to the relay.', () => network.configure_signaling_server(relay.value));
  onPress(button('discover'), 'Asked the relay who is there.', () => network.start_peer_discovery());
  onPress(button('verify'), '', async () =>
    (await network.validate_blockchain()) ? 'The log verifies.' : 'The log does NOT verify.',
  );
  for (const id of ['create', 'connect-relay', 'discover', 'verify']) button(id).disabled = false;
  await run(network);
}

main().catch((error: unknown) => say(`This page cannot run: ${String(error)}`));
