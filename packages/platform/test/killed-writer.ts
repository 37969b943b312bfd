/**
 * A program that writes into a store until it is killed. It loads, says `loaded`, takes its order from stdin, opens the store, says what it
 * finds there, and commits; every number that it says after that is of a commit that was acknowledged.
 */
import { openSync, readFileSync, readSync, writeSync } from 'node:fs';
import { limits } from '../src/limits.ts';
import { openStore } from '../src/node/store/open-store.ts';
import { checkpointWords, isInCheckpoint } from './write-ahead-index.ts';

/**
 * Where the kill strikes. All but `outside`: this process kills itself, so that it can be anywhere in a commit, to the microsecond.
 * `none`: it says what it finds, and ends.
 */
export type Point = 'opening' | 'writing' | 'checkpoint' | 'closing' | 'outside' | 'none';
export interface Order {
  readonly path: string;
  /** Numbers from here on, even. */
  readonly first: number;
  readonly point: Point;
  /** So many lines are said before. */
  readonly after: number;
  /** Where in the span of what it strikes, 0 to 1. */
  readonly part: number;
  /** How long opening took the one before, milliseconds. */
  readonly openMs: number;
  readonly checkpointBytes: number;
}
export interface Found {
  readonly openMs: number;
  /** Of the pairs. */
  readonly numbers: readonly number[];
  readonly chain: readonly number[];
  readonly tip: number;
  /** Keys whose value is not the one that was written. */
  readonly changed: readonly string[];
}

const valueOf = (number: number): Uint8Array => new Uint8Array(420).fill(number);
const keyOf = (number: number): string => String(number).padStart(12, '0');
const closingMs = 5;

say('loaded');
const order = JSON.parse(readFileSync(0, 'utf8')) as Order;
// The same code with a smaller log: a checkpoint after every few commits instead of some thousand.
Object.assign(limits, { checkpointBytes: order.checkpointBytes });

const began = performance.now();
const opening = openStore(order.path);
if (order.point === 'opening') {
  while (performance.now() - began < order.part * order.openMs) await new Promise(setImmediate);
  end();
}
const store = await opening;
const room = store.room('chain');
const openMs = performance.now() - began;
let tip = await room.get('tip');
say(`found ${JSON.stringify(await found())}`);
if (order.point === 'none') process.exit();

const run = { said: 0, isOver: false };
const startedMs = performance.now();
if (order.point === 'checkpoint') void whenInCheckpoint();
/** Two at a time, four commits in the air. */
let next = order.first;
async function pairs(): Promise<void> {
  while (!run.isOver) {
    const [a, b] = [next, next + 1];
    next += 2;
    await store.commit([store.put(keyOf(a), valueOf(a)), store.put(keyOf(b), valueOf(b))]);
    acknowledged(`${a}\n${b}`);
  }
}
/** Each commit builds on the one before, three in the air. Said as -1, -2, … */
async function chain(): Promise<void> {
  let at = numberOf(tip);
  const air: Promise<void>[] = [];
  while (!run.isOver) {
    while (air.length < 3) {
      const number = (at += 1);
      const to = Buffer.from(String(number));
      const onto = { ...room.put('tip', to), expected: { value: tip } };
      tip = to;
      air.push(room.commit([onto, room.put(keyOf(number), valueOf(number))]).then(() => acknowledged(`-${number}`)));
    }
    await air.shift();
  }
}
await Promise.all([pairs(), pairs(), pairs(), pairs(), chain()]);

function acknowledged(line: string): void {
  if (run.isOver) return;
  say(line);
  run.said += 1;
  if (run.said !== order.after) return;
  if (order.point === 'writing') {
    // What was asked for last has gone to the writer's thread by then; two of its transactions are the span.
    const spanMs = (2 * (performance.now() - startedMs)) / (run.said / 5);
    setImmediate(() => {
      wait(order.part * spanMs);
      end();
    });
  }
  if (order.point === 'closing') {
    run.isOver = true;
    void store.close();
    wait(order.part * closingMs);
    end();
  }
}

async function whenInCheckpoint(): Promise<void> {
  const file = openSync(`${order.path}-shm`, 'r');
  const index = Buffer.alloc(checkpointWords.wanted + checkpointWords.bytes);
  for (;;) {
    for (let looks = 0; looks < 100; looks += 1) {
      readSync(file, index, 0, index.length, 0);
      if (isInCheckpoint(index) && run.said >= order.after) end();
    }
    await new Promise(setImmediate);
  }
}

async function found(): Promise<Found> {
  const rows = { numbers: [] as number[], chain: [] as number[] };
  const changed: string[] = [];
  for (const [name, from] of [
    ['numbers', store],
    ['chain', room],
  ] as const)
    for await (const { key, value } of from.range('0', '1')) {
      rows[name].push(Number(key));
      if (Buffer.compare(value, valueOf(Number(key))) !== 0) changed.push(key);
    }
  return { ...rows, openMs, changed, tip: numberOf(tip) };
}

function numberOf(bytes: Uint8Array | undefined): number {
  return Number(Buffer.from(bytes ?? []).toString());
}

function wait(ms: number): void {
  for (const until = performance.now() + ms; performance.now() < until;);
}

function end(): void {
  process.kill(process.pid, 'SIGKILL');
  // The signal is there before anything else is done.
  wait(Infinity);
}

/** A pipe that is full for a moment says so: a process that ends by itself is none that was killed. */
function say(line: string): void {
  for (let rest = Buffer.from(`${line}\n`); rest.length > 0;) {
    try {
      rest = rest.subarray(writeSync(1, rest));
    } catch (error) {
      if ((error as { code?: string }).code !== 'EAGAIN') throw error;
    }
  }
}
