/** One 20×20 outline an icon, drawn with round ends by the stroke of `.i`: those that both pages have. */
export const icons = {
  check: 'M4 10.5l4 4 8-9',
  close: 'M5 5l10 10M15 5L5 15',
  lock: 'M6 9h8a1.5 1.5 0 0 1 1.5 1.5v5a1.5 1.5 0 0 1 -1.5 1.5h-8a1.5 1.5 0 0 1 -1.5 -1.5v-5a1.5 1.5 0 0 1 1.5 -1.5zM7 9V6.5a3 3 0 0 1 6 0V9',
  send: 'M10 16.5V4M5 9l5-5 5 5',
  share: 'M8 12l4-4M9 6.5l1.5-1.5a3.2 3.2 0 0 1 4.5 4.5L13.5 11M11 13.5L9.5 15A3.2 3.2 0 0 1 5 10.5L6.5 9',
  stop: 'M6.5 5.5h7a1 1 0 0 1 1 1v7a1 1 0 0 1 -1 1h-7a1 1 0 0 1 -1 -1v-7a1 1 0 0 1 1 -1z',
  theme: 'M3.5 10a6.5 6.5 0 1 0 13 0a6.5 6.5 0 1 0 -13 0zM10 3.5v13a6.5 6.5 0 0 0 0-13z',
  warn: 'M10 3l7.5 13.5h-15zM10 8v4M10 14.2h.01',
  x: 'M3 10a7 7 0 1 0 14 0a7 7 0 1 0 -14 0zM7.5 7.5l5 5M12.5 7.5l-5 5',
} as const;

export type IconName = keyof typeof icons;
