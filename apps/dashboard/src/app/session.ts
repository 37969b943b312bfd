const storageKey = 'peerai.token';

/** What of a browser window the session needs. */
export interface SessionWindow {
  readonly location: { readonly hash: string; readonly pathname: string; readonly search: string };
  readonly history: { replaceState(data: unknown, unused: string, url: string): void };
  readonly sessionStorage: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;
}

/** The control token: from `#token=…` once, after that from this tab's memory. It leaves the address bar at once. */
export function takeToken(window: SessionWindow): string | undefined {
  const { hash, pathname, search } = window.location;
  const fields = new URLSearchParams(hash.slice(1));
  const token = fields.get('token');
  if (token === null || token === '') return window.sessionStorage.getItem(storageKey) ?? undefined;
  window.sessionStorage.setItem(storageKey, token);
  window.history.replaceState(null, '', `${pathname}${search}`);
  return token;
}

/**
 * The control token of this tab: for `#code=…` the one that the agent gives for it, once; else as `takeToken`. A code that is good no more (the page
 * was opened from the history) leaves what the tab has.
 */
export async function takeSession(
  window: SessionWindow,
  begin: (code: string) => Promise<{ readonly token: string }>,
): Promise<string | undefined> {
  const { hash, pathname, search } = window.location;
  const code = new URLSearchParams(hash.slice(1)).get('code');
  if (code === null || code === '') return takeToken(window);
  window.history.replaceState(null, '', `${pathname}${search}`);
  const session = await begin(code).catch(() => undefined);
  if (session !== undefined) window.sessionStorage.setItem(storageKey, session.token);
  return session?.token ?? window.sessionStorage.getItem(storageKey) ?? undefined;
}

export function forgetToken(window: Pick<SessionWindow, 'sessionStorage'>): void {
  window.sessionStorage.removeItem(storageKey);
}
