import type { CryptoProvider, Identity, PeerId } from '@peerai/core-protocol';
import {
  type AgreementEffect,
  type AgreementEvent,
  type Block,
  type Evidence,
  type Genesis,
} from '@peerai/ledger/agreement';
import {
  type AgreementState,
  blockKey,
  createMachine,
  encodeMessage,
  firstPlace,
  loadState,
  type Times,
} from '@peerai/ledger/agreement/parts';
import type { Dice } from '../dice.ts';
import type { Agenda } from './agenda.ts';
import { createRowDisk } from './disk.ts';
import { type AgreementMutant, rulesOf } from './mutants.ts';

/** One honest member: its disk stays, its process comes and goes. */
export interface Member {
  readonly identity: Identity;
  readonly state: AgreementState | undefined;
  start(): Promise<void>;
  /** As kill -9: of what was not yet on the disk some is and some is not. */
  kill(): void;
  receive(from: PeerId, bytes: Uint8Array): void;
  submit(ticket: number, body: Uint8Array, kind?: string): void;
}
export interface MemberDeps {
  readonly agenda: Agenda;
  readonly dice: Dice;
  readonly crypto: CryptoProvider;
  readonly identity: Identity;
  readonly genesis: Genesis;
  readonly times: Times;
  readonly mutant: AgreementMutant | undefined;
  readonly send: (to: PeerId, bytes: Uint8Array) => void;
  readonly decided: (block: Block, bytes: Uint8Array) => void;
  readonly settled: (ticket: number, height: number) => void;
  readonly dropped: (ticket: number) => void;
  readonly lied: (evidence: Evidence) => void;
  readonly stepped: () => void;
}

/** Longest time of a sync, and how long a disk that does not sync keeps rows in memory only, milliseconds. */
const syncMs = 8;
const unsyncedMs = 2_000;

export function createMember(deps: MemberDeps): Member {
  const { agenda, dice, crypto, identity, genesis, times, mutant } = deps;
  const machine = createMachine({ crypto, identity, judge: () => true, rules: rulesOf(mutant), times });
  const first = firstPlace(crypto, genesis);
  const disk = createRowDisk();
  // A clock of its own: it began at another time and runs up to a tenth too fast or too slow.
  const [startMs, rate] = [dice.below(1_000_000), 0.9 + dice.below(200) / 1_000];
  const nowMs = (): number => startMs + agenda.nowMs * rate;
  const timeMs = (): number => Math.trunc(1_750_000_000_000 + nowMs());
  let life = 0;
  let state: AgreementState | undefined;
  let events: AgreementEvent[] = [];
  let isSyncing = false;
  let wakes = 0;
  let unsynced: { readonly atMs: number; readonly rows: readonly Row[] }[] = [];

  const push = (event: AgreementEvent): void => {
    if (state === undefined) return;
    events.push(event);
    run();
  };
  const next = (): AgreementEvent | undefined => (isSyncing ? undefined : events.shift());
  const run = (): void => {
    for (let event = next(); state !== undefined && event !== undefined; event = next()) {
      const [after, effects] = machine.step(state, event, nowMs());
      state = after;
      const rows = effects.filter((one) => one.type === 'persist');
      if (rows.length > 0) write(rows, effects);
      else act(effects);
    }
  };
  const write = (rows: readonly Row[], effects: readonly AgreementEffect[]): void => {
    if (mutant === 'skips-fsync') {
      unsynced = [...flushed(), { atMs: agenda.nowMs, rows }];
      act(effects);
      return;
    }
    isSyncing = true;
    syncing = rows;
    const mine = life;
    agenda.after(dice.below(syncMs), () => {
      if (mine !== life) return;
      disk.write(rows);
      isSyncing = false;
      syncing = [];
      act(effects);
      run();
    });
  };
  let syncing: readonly Row[] = [];
  const flushed = () => {
    const isOld = ({ atMs }: { readonly atMs: number }): boolean => agenda.nowMs - atMs >= unsyncedMs;
    for (const one of unsynced.filter(isOld)) disk.write(one.rows);
    return unsynced.filter((one) => !isOld(one));
  };
  const act = (effects: readonly AgreementEffect[]): void => {
    const here = state;
    if (here === undefined) return;
    for (const effect of effects) {
      if (effect.type === 'broadcast')
        for (const to of here.place.epoch.members) if (to !== identity.peer) deps.send(to, effect.bytes);
      if (effect.type === 'send') deps.send(effect.to, effect.bytes);
      if (effect.type === 'send-blocks') sendBlocks(effect.to, effect.fromHeight);
      if (effect.type === 'decided') deps.decided(effect.block, effect.bytes);
      if (effect.type === 'settled') deps.settled(effect.ticket, effect.height);
      if (effect.type === 'dropped') deps.dropped(effect.ticket);
      if (effect.type === 'lied') deps.lied(effect.evidence);
      if (effect.type === 'wake') wake((effect.atMs - startMs) / rate - agenda.nowMs);
    }
    deps.stepped();
  };
  const wake = (ms: number): void => {
    const mine = (wakes += 1);
    agenda.after(Math.ceil(ms), () => {
      if (mine === wakes) push({ type: 'ticked', timeMs: timeMs() });
    });
  };
  const sendBlocks = (to: PeerId, fromHeight: number): void => {
    const blocks: Uint8Array[] = [];
    for (let height = fromHeight; blocks.length < 16; height += 1) {
      const bytes = disk.get(blockKey(height));
      if (bytes === undefined) break;
      blocks.push(bytes);
    }
    if (blocks.length > 0) deps.send(to, encodeMessage({ blocks }));
  };
  return {
    identity,
    get state() {
      return state;
    },
    async start() {
      life += 1;
      state = await loadState(disk.store, { crypto }, first);
      push({ type: 'started', timeMs: timeMs() });
    },
    kill() {
      life += 1;
      wakes += 1;
      if (syncing.length > 0 && dice.chance(0.5)) disk.write(syncing);
      unsynced = flushed();
      unsynced = [];
      syncing = [];
      isSyncing = false;
      events = [];
      state = undefined;
    },
    receive: (from, bytes) => push({ type: 'received', from, bytes, timeMs: timeMs() }),
    submit: (ticket, body, kind = 'note') =>
      push({ type: 'submitted', wishes: [{ ticket, payload: { kind, body } }], timeMs: timeMs() }),
  };
}

type Row = Extract<AgreementEffect, { readonly type: 'persist' }>;
