import {
  applyChatEvent,
  closeAnswer,
  isOpen,
  newAnswer,
  toMessages,
  type AnswerTurn,
  type Turn,
} from '../shared/turns.ts';
import { limits } from './limits.ts';
import type { GuestLink, GuestLoader, Invitation, Session, ShareState } from './session.ts';

export interface GuestState {
  /** Stages of coming in, then `ready`; `lost`: not reached, may be tried again; `refused`: the link is over. */
  readonly phase: 'opening' | 'finding' | 'asking' | 'ready' | 'lost' | 'refused' | 'left';
  readonly sinceMs: number;
  readonly invitation?: Invitation;
  readonly share?: { readonly state: ShareState; readonly atMs: number; readonly fresh: boolean };
  readonly link?: GuestLink;
  /** There was a link and it is gone; an open answer may still be picked up. */
  readonly linkLost: boolean;
  readonly problem?: { readonly code: string; readonly message: string };
  readonly turns: readonly Turn[];
}

export interface GuestController {
  readonly state: GuestState;
  subscribe(listener: () => void): () => void;
  /** Reads the link and connects. */
  start(): Promise<void>;
  /** Connects anew after `lost`. */
  reconnect(): Promise<void>;
  /** Asks when the connection stands; false, and nothing done, while an answer is open or without words. */
  ask(text: string, model?: string): boolean;
  askAgain(): void;
  stop(): void;
  leave(): void;
}

export interface ControllerDeps {
  readonly loader: GuestLoader;
  /** What stands behind `#`. */
  readonly ticket: string;
  readonly now: () => number;
  /** Fires TIMEOUT after `ms`, or earlier with the parent's reason. */
  readonly deadline: (ms: number, parent: AbortSignal) => AbortSignal;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly storage: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;
  /** The refusals that end the link for good. */
  readonly isFinal: (code: string) => boolean;
}

/** Everything the guest's page does, without a page. */
export function createController({
  loader,
  ticket,
  now,
  deadline,
  sleep,
  storage,
  isFinal,
}: ControllerDeps): GuestController {
  const end = new AbortController();
  // The end of a ticket is its signature: it names the talk without telling its secret.
  const storageKey = `peerai.guest.${ticket.slice(-16)}`;
  const listeners = new Set<() => void>();
  let state: GuestState = { phase: 'opening', sinceMs: now(), linkLost: false, turns: restore() };
  let session: Session | undefined;
  let running: AbortController | undefined;
  let connected = Promise.withResolvers<Session>();
  connected.promise.catch(() => undefined);

  const change = (patch: Partial<GuestState>): void => {
    if (end.signal.aborted) return;
    state = { ...state, ...patch };
    for (const listener of listeners) listener();
  };

  const fail = (error: unknown): void => {
    const problem = problemOf(error);
    change({ phase: isFinal(problem.code) ? 'refused' : 'lost', problem });
    connected.reject(error);
  };

  const start = async (): Promise<void> => {
    try {
      const invitation = await loader.read(ticket);
      change({ invitation, phase: 'finding' });
      if (invitation.expiresMs <= now())
        throw Object.assign(new Error('this link has expired'), { code: 'TICKET_EXPIRED' });
      session = await loader.open(ticket);
      void watchLink(session);
      await connect(session);
      void watchShare(session);
    } catch (error) {
      fail(error);
    }
  };

  const connect = async (to: Session): Promise<void> => {
    const share = await to.connect(deadline(limits.connectMs, end.signal));
    change({ phase: 'ready', share: { state: share, atMs: now(), fresh: true } });
    connected.resolve(to);
  };

  const reconnect = async (): Promise<void> => {
    if (state.phase !== 'lost') return;
    connected = Promise.withResolvers();
    connected.promise.catch(() => undefined);
    const { problem: _, ...rest } = state;
    state = rest;
    change({ phase: session === undefined ? 'opening' : 'finding', sinceMs: now() });
    if (session === undefined) return start();
    await connect(session).catch(fail);
  };

  const watchLink = async (of: Session): Promise<void> => {
    try {
      for await (const link of of.link(end.signal)) {
        const { link: before, ...rest } = state;
        state = { ...rest, linkLost: link === undefined && (before !== undefined || rest.linkLost) };
        change({
          ...(link === undefined ? {} : { link }),
          ...(link !== undefined && state.phase === 'finding' ? { phase: 'asking' } : {}),
        });
      }
    } catch {
      // The watch ends with the session; what is shown stays.
    }
  };

  const watchShare = async (of: Session): Promise<void> => {
    while (!end.signal.aborted) {
      await sleep(limits.stateEveryMs, end.signal).catch(() => undefined);
      await refreshShare(of);
    }
  };

  const refreshShare = async (of: Session): Promise<void> => {
    if (end.signal.aborted) return;
    try {
      change({ share: { state: await of.state(deadline(limits.stateMs, end.signal)), atMs: now(), fresh: true } });
    } catch (error) {
      const problem = problemOf(error);
      if (isFinal(problem.code)) change({ phase: 'refused', problem });
      else if (state.share !== undefined) change({ share: { ...state.share, fresh: false } });
    }
  };

  const answer = async (asked: readonly Turn[], model: string | undefined): Promise<void> => {
    const controller = new AbortController();
    running = controller;
    const signal = AbortSignal.any([controller.signal, end.signal]);
    let turn = newAnswer(model ?? state.invitation?.models[0] ?? '');
    /** The last words open the way for the next question; the signature under them may come later. */
    const update = (next: AnswerTurn): void => {
      const before = turn;
      turn = next;
      if (running === controller && !isOpen(turn)) running = undefined;
      change({ turns: state.turns.map((one) => (one === before ? turn : one)) });
    };
    change({ turns: [...asked, turn].slice(-limits.turnsMax) });
    try {
      const to = await abortable(connected.promise, signal);
      for await (const event of to.ask(toMessages(asked, limits), model === undefined ? {} : { model }, signal)) {
        update(applyChatEvent(turn, event));
      }
    } catch (error) {
      if (!signal.aborted) update(applyChatEvent(turn, { type: 'error', ...problemOf(error) }));
    }
    update(closeAnswer(turn, signal.aborted));
    keep();
    if (turn.error !== undefined && isFinal(turn.error.code)) change({ phase: 'refused', problem: turn.error });
    else if (session !== undefined) await refreshShare(session);
  };

  function keep(): void {
    try {
      storage.setItem(storageKey, JSON.stringify(state.turns));
    } catch {
      // A full or forbidden store: the talk lasts as long as the page.
    }
  }
  function restore(): readonly Turn[] {
    try {
      const turns = JSON.parse(storage.getItem(storageKey) ?? '[]') as readonly Turn[];
      return turns.map((turn) => (turn.role === 'assistant' && isOpen(turn) ? closeAnswer(turn, false) : turn));
    } catch {
      return [];
    }
  }

  return {
    get state() {
      return state;
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    start,
    reconnect,
    ask(text, model) {
      const said = text.trim().slice(0, limits.messageCharsMax);
      if (running !== undefined || said === '') return false;
      void answer([...state.turns, { role: 'user', text: said }], model);
      return true;
    },
    askAgain() {
      const lastQuestion = state.turns.findLastIndex((turn) => turn.role === 'user');
      const model = state.turns.findLast((turn) => turn.role === 'assistant')?.model;
      if (running !== undefined || lastQuestion < 0) return;
      if (state.phase === 'lost') void reconnect();
      void answer(state.turns.slice(0, lastQuestion + 1), model === '' ? undefined : model);
    },
    stop() {
      running?.abort();
    },
    leave() {
      running?.abort();
      running = undefined;
      storage.removeItem(storageKey);
      change({ phase: 'left', turns: [] });
      end.abort();
      void session?.close().catch(() => undefined);
    },
  };
}

function problemOf(error: unknown): { readonly code: string; readonly message: string } {
  const code = (error as { readonly code?: unknown } | null)?.code;
  const message = error instanceof Error ? error.message : String(error);
  return { code: typeof code === 'string' ? code : 'INTERNAL', message };
}

async function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const stop = (): void => aborted.reject(signal.reason as Error);
  signal.addEventListener('abort', stop, { once: true });
  try {
    return await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
