import type { ControlClient } from '@peerai/peer/control';
import { createContext, useContext, useSyncExternalStore } from 'react';
import type { Conversation } from '../chat/conversation.ts';
import type { Live, LiveState } from './live.ts';

/** What every page may reach for. */
export interface AppContext {
  readonly client: ControlClient;
  readonly live: Live;
  readonly conversation: Conversation;
}

export const Context = createContext<AppContext | undefined>(undefined);

export function useApp(): AppContext {
  const app = useContext(Context);
  if (app === undefined) throw new Error('a page outside of its app');
  return app;
}

export function useLive(): LiveState {
  const { live } = useApp();
  return useSyncExternalStore(live.subscribe, () => live.state);
}
