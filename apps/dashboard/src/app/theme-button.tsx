import { useState, type ReactNode } from 'react';
import { currentTheme, nextTheme, themeLabel } from '../shared/theme.ts';
import { IconButton } from '../ui/button.tsx';

export function ThemeButton(): ReactNode {
  const [theme, setTheme] = useState(currentTheme);
  return <IconButton icon="theme" label={themeLabel(theme)} onClick={() => setTheme(nextTheme())} />;
}
