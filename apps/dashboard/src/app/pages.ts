import type { IconName } from '../ui/icons.ts';
import { shell } from './strings.ts';

/** The pages, in the order of the rail and the bar. Paths have one level: asset addresses are relative. */
export const pages = [
  { to: '/', icon: 'home', title: shell.nav.home },
  { to: '/chat', icon: 'chat', title: shell.nav.chat },
  { to: '/shares', icon: 'share', title: shell.nav.shares },
  { to: '/tasks', icon: 'tasks', title: shell.nav.tasks },
  { to: '/messages', icon: 'mail', title: shell.nav.messages },
  { to: '/files', icon: 'file', title: shell.nav.files },
  { to: '/groups', icon: 'groups', title: shell.nav.groups },
  { to: '/documents', icon: 'document', title: shell.nav.documents },
  { to: '/memory', icon: 'memory', title: shell.nav.memory },
  { to: '/models', icon: 'models', title: shell.nav.models },
  { to: '/train', icon: 'train', title: shell.nav.train },
  { to: '/clusters', icon: 'cluster', title: shell.nav.clusters },
  { to: '/reputation', icon: 'star', title: shell.nav.reputation },
  { to: '/ledger', icon: 'ledger', title: shell.nav.ledger },
  { to: '/market', icon: 'market', title: shell.nav.market },
  { to: '/governance', icon: 'vote', title: shell.nav.governance },
  { to: '/doctor', icon: 'health', title: shell.nav.health },
] as const satisfies readonly { readonly to: string; readonly icon: IconName; readonly title: string }[];

/** So many of them have a place in the bar of a phone; the others are behind “More”. */
export const pagesInBar = 4;
