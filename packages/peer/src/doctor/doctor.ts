import type { Clock } from '@peerai/core-protocol';
import type { Books } from '../ledger/books.ts';
import type { Relays } from '../links/relays.ts';
import type { ModelView } from '../models/models.schema.ts';
import type { EngineFinding } from '../node/node.schema.ts';
import type { Peers } from '../pairing/peers.ts';
import type { Trouble } from '../paths/paths.schema.ts';
import type { PeerPaths } from '../paths/paths.ts';
import type { Check, DoctorView } from './doctor.schema.ts';
import { hintFor } from '../chat/hints.ts';
import { natChecks } from './nat-check.ts';

export interface DoctorDeps {
  readonly clock: Clock;
  readonly engines: () => readonly EngineFinding[];
  readonly ownModels: () => Promise<readonly ModelView[]>;
  readonly relays: Relays;
  readonly paths: Pick<PeerPaths, 'relayTrouble' | 'net'>;
  readonly peers: Peers;
  readonly books: Books;
  /** Of the chain, where one is used. */
  readonly settlement: () => Promise<readonly Check[]>;
  readonly addresses: () => readonly string[];
  readonly answering: () => { readonly active: number; readonly queued: number; readonly concurrentMax: number };
}

/** Looks at each part that can fail, and names what to do. */
export interface Doctor {
  check(): Promise<DoctorView>;
}

/** A path slower than this deserves a look, milliseconds. */
const slowMs = 500;

export function createDoctor(deps: DoctorDeps): Doctor {
  return {
    async check() {
      const checks = [
        ...(await engineChecks(deps)),
        ...relayChecks(deps),
        listenCheck(deps),
        ...peerChecks(deps),
        ...natChecks(deps),
        queueCheck(deps),
        await ledgerCheck(deps),
        ...(await deps.settlement()),
      ];
      return { v: 1, checks };
    },
  };
}

async function engineChecks({ engines, ownModels }: DoctorDeps): Promise<Check[]> {
  const models = await ownModels();
  const real = models.filter(({ engine }) => engine !== 'nano' && engine !== 'scripted' && engine !== 'onnx');
  const refused = engines().filter(({ state }) => state === 'refused');
  const loops: Check[] = refused.map(({ kind, url, detail }) => ({
    id: `engine-${kind}`,
    title: `Engine ${url ?? kind}`,
    state: 'look',
    cause: detail,
    remedy: 'Stop what listens there or leave this engine out.',
    command: 'peerai config explain llm.engines',
  }));
  if (models.length === 0) {
    return [
      ...loops,
      {
        id: 'engine',
        title: 'Engine',
        state: 'broken',
        cause: 'No engine offers a model.',
        remedy: 'Start one, or use the built-in guide.',
        command: 'peerai up --engine nano',
      },
    ];
  }
  if (real.length === 0) {
    return [
      ...loops,
      {
        id: 'engine',
        title: 'Engine',
        state: 'look',
        cause: `Only the built-in ${models[0]?.name ?? 'model'} answers.`,
        remedy: 'Start Ollama or a llama.cpp server for a real model.',
        command: 'ollama serve',
      },
    ];
  }
  return [
    ...loops,
    {
      id: 'engine',
      title: 'Engine',
      state: 'ok',
      cause: `${models.length} models: ${[...real, ...models.filter((model) => !real.includes(model))]
        .slice(0, 4)
        .map(({ name }) => name)
        .join(', ')}${models.length > 4 ? ', …' : ''}.`,
    },
  ];
}

function relayChecks({ relays, paths }: DoctorDeps): Check[] {
  const states = relays.list();
  if (states.length === 0) {
    return [
      {
        id: 'relay',
        title: 'Relay',
        state: 'look',
        cause: 'No relay is known: links and pairings work on this network only.',
        remedy: 'Give one when starting.',
        command: 'peerai up --relay <address>',
      },
    ];
  }
  return states.map(({ address, state, from, hasPlace }) => {
    if (hasPlace) return { id: 'relay', title: 'Relay', state: 'ok', cause: `Connected to ${address}.` };
    const trouble = paths.relayTrouble(address);
    if (trouble !== undefined)
      return {
        id: 'relay',
        title: 'Relay',
        state: state === 'connected' ? 'look' : 'broken',
        ...found(trouble, address),
      };
    if (state === 'connected') {
      return {
        id: 'relay',
        title: 'Relay',
        state: 'look',
        cause: `${address} is connected, but has given this peer no place: nobody reaches it there.`,
        remedy: 'Is it full? Its owner can allow more, or use another relay.',
      };
    }
    return {
      id: 'relay',
      title: 'Relay',
      state: 'broken',
      cause: `${address} does not answer; devices on this network still work.`,
      remedy: 'Is it running, and is the address right?',
      command: `peerai config explain ${from === 'group' ? 'governance' : 'network'}.relays`,
    };
  });
}

/** One failed connection: the step, the reason, the remedy. */
const found = ({ step, code, reason, remedy, command }: Trouble, address?: string) => ({
  cause: `${address === undefined ? '' : `${address}: `}${reason} (${step}, ${code})`,
  remedy,
  ...(command === undefined ? {} : { command }),
});

function listenCheck({ addresses }: DoctorDeps): Check {
  const reachable = addresses().filter((address) => !/^\/ip4\/127\.|^\/ip6\/::1\//.test(address));
  if (reachable.length > 0)
    return { id: 'listen', title: 'Addresses', state: 'ok', cause: `Others can dial ${reachable.length} addresses.` };
  return {
    id: 'listen',
    title: 'Addresses',
    state: 'look',
    cause: 'Only this machine can dial this peer.',
    remedy: 'Listen on all interfaces, or use a relay.',
    command: 'peerai config explain network.listen_address',
  };
}

function peerChecks({ peers }: DoctorDeps): Check[] {
  return peers
    .list()
    .filter(({ kind }) => kind === 'device')
    .map(({ peerId, name, state, path, roundTripMs, trouble }): Check => {
      const base = { id: `peer-${peerId.slice(-8)}`, title: name } as const;
      if (state === 'blocked') return { ...base, state: 'ok', cause: 'Blocked by you.' };
      if (trouble !== undefined) return { ...base, state: 'look', ...found(trouble) };
      if (state === 'offline') {
        return {
          ...base,
          state: 'look',
          cause: 'No link: it is off, or neither a direct nor a relayed path works.',
          remedy: 'Start it, then see which step fails.',
          command: `peerai peers trace ${name}`,
        };
      }
      const slow = roundTripMs !== null && roundTripMs > slowMs;
      const cause = `${path === 'direct' ? 'Direct' : 'Relayed'}${roundTripMs === null ? '' : `, ${Math.round(roundTripMs)} ms`}.`;
      return slow
        ? {
            ...base,
            state: 'look',
            cause: `${cause} That is slow.`,
            remedy: 'A busy or far network; answers will start late.',
          }
        : { ...base, state: 'ok', cause };
    });
}

function queueCheck({ answering }: DoctorDeps): Check {
  const { active, queued, concurrentMax } = answering();
  if (queued === 0)
    return { id: 'queue', title: 'Answering', state: 'ok', cause: `${active} of ${concurrentMax} answers running.` };
  return {
    id: 'queue',
    title: 'Answering',
    state: 'look',
    cause: `${queued} requests wait for ${concurrentMax} places.`,
    remedy: 'Allow more at once if the machine can.',
    command: 'peerai config explain llm.max_concurrent',
  };
}

async function ledgerCheck({ books }: DoctorDeps): Promise<Check> {
  const refusal = books.refusal();
  if (refusal !== undefined)
    return {
      id: 'ledger',
      title: 'Ledger',
      state: 'broken',
      cause: `${refusal.message}.`,
      remedy: hintFor(refusal.code) ?? 'Repair it.',
      command: 'peerai ledger repair',
    };
  const head = await books.head();
  return {
    id: 'ledger',
    title: 'Ledger',
    state: 'ok',
    cause: `${head.size} entries; the head is signed.`,
    command: 'peerai ledger verify',
  };
}
