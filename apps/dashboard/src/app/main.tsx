import { PeerAiError } from '@peerai/core-protocol';
import { createControlClient } from '@peerai/peer/control';
import { QueryCache, QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { createConversation } from '../chat/conversation.ts';
import '../styles/tokens.css';
import '../styles/base.css';
import '../styles/pages.css';
import { Context } from './context.ts';
import { startLive } from './live.ts';
import { NoSession } from './no-session.tsx';
import { router } from './router.tsx';
import { forgetToken, takeSession } from './session.ts';
import { sleep } from '../shared/sleep.ts';

const root = createRoot(document.getElementById('root') as HTMLElement);

void open();

async function open(): Promise<void> {
  const token = await takeSession(window, (code) =>
    createControlClient({ baseUrl: location.origin }).beginSession(code),
  );
  if (token === undefined) root.render(<NoSession refused={false} />);
  else start(token);
}

function start(token: string): void {
  const end = new AbortController();
  const client = createControlClient({ baseUrl: location.origin, token });
  const refuse = (error: unknown): void => {
    if (!PeerAiError.is(error) || error.details['status'] !== 401) return;
    end.abort();
    forgetToken(window);
    root.render(<NoSession refused />);
  };
  const cache = new QueryClient({
    queryCache: new QueryCache({ onError: refuse }),
    // Loopback answers at once or not at all; pages poll by themselves.
    defaultOptions: {
      queries: { retry: false, networkMode: 'always', staleTime: 5_000 },
      mutations: { networkMode: 'always' },
    },
  });
  const live = startLive({ client, cache, now: Date.now, sleep }, end.signal);
  const conversation = createConversation({ client, storage: sessionStorage });
  root.render(
    <StrictMode>
      <Context value={{ client, live, conversation }}>
        <QueryClientProvider client={cache}>
          <RouterProvider router={router} />
        </QueryClientProvider>
      </Context>
    </StrictMode>,
  );
}
