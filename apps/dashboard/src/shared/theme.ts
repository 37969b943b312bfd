export type Theme = 'system' | 'light' | 'dark';

const storageKey = 'peerai.theme';
const order: readonly Theme[] = ['system', 'light', 'dark'];

export function currentTheme(): Theme {
  const theme = document.documentElement.dataset['theme'];
  return theme === 'light' || theme === 'dark' ? theme : 'system';
}

/** System, light, dark, and around. `static/theme.js` reads the choice before the next paint. */
export function nextTheme(): Theme {
  const theme = order[(order.indexOf(currentTheme()) + 1) % order.length] ?? 'system';
  if (theme === 'system') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = theme;
  try {
    if (theme === 'system') localStorage.removeItem(storageKey);
    else localStorage.setItem(storageKey, theme);
  } catch {
    // No storage here: the choice lasts as long as the page.
  }
  return theme;
}

export function themeLabel(theme: Theme): string {
  return `Theme: ${theme}. Change`;
}
