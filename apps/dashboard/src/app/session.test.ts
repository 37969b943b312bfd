import { describe, expect, it } from 'vitest';
import { forgetToken, takeSession, takeToken } from './session.ts';

function fakeWindow(hash: string) {
  const kept = new Map<string, string>();
  const addresses: string[] = [];
  return {
    addresses,
    location: { hash, pathname: '/chat', search: '?a=1' },
    history: { replaceState: (_data: unknown, _unused: string, url: string) => addresses.push(url) },
    sessionStorage: {
      getItem: (key: string) => kept.get(key) ?? null,
      setItem: (key: string, value: string) => void kept.set(key, value),
      removeItem: (key: string) => void kept.delete(key),
    },
  };
}

describe('The control token', () => {
  it('leaves the address bar and stays in the tab', () => {
    const window = fakeWindow('#token=secret');
    expect(takeToken(window)).toBe('secret');
    expect(window.addresses).toEqual(['/chat?a=1']);
    expect(takeToken({ ...window, location: { ...window.location, hash: '' } })).toBe('secret');
  });

  it('is absent where none was given or it was forgotten', () => {
    const window = fakeWindow('#token=');
    expect(takeToken(window)).toBeUndefined();
    takeToken({ ...window, location: { ...window.location, hash: '#token=x' } });
    forgetToken(window);
    expect(takeToken(window)).toBeUndefined();
  });
});

describe('A one-time code', () => {
  const begin = async (code: string): Promise<{ token: string }> => {
    if (code === 'good') return { token: 'secret' };
    throw new Error('this code was used');
  };

  it('is changed into the token, and leaves the address bar before it is', async () => {
    const window = fakeWindow('#code=good');
    const session = takeSession(window, begin);
    expect(window.addresses).toEqual(['/chat?a=1']);
    expect(await session).toBe('secret');
    expect(takeToken({ ...window, location: { ...window.location, hash: '' } })).toBe('secret');
  });

  it('that was used gives nothing, and takes nothing from a tab that has its token', async () => {
    const window = fakeWindow('#code=used');
    expect(await takeSession(window, begin)).toBeUndefined();
    takeToken({ ...window, location: { ...window.location, hash: '#token=kept' } });
    expect(await takeSession(window, begin)).toBe('kept');
  });

  it('is not asked of an address with a token', async () => {
    expect(await takeSession(fakeWindow('#token=secret'), () => Promise.reject(new Error('asked')))).toBe('secret');
  });
});
