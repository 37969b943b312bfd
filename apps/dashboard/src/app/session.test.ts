import { describe, expect, it } from 'vitest';
import { forgetToken, takeToken } from './session.ts';

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
