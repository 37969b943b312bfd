export const shell = {
  name: 'PeerAI',
  skip: 'Skip to content',
  pages: 'Pages',
  pagesShort: 'Pages, short',
  nav: {
    home: 'Home',
    chat: 'Chat',
    shares: 'Share',
    tasks: 'Tasks',
    messages: 'Inbox',
    models: 'Models',
    health: 'Health',
  },
  devices: (n: string) => n,
  direct: (n: number) => `${n} direct`,
  relayed: (n: number) => `${n} relayed`,
  answeringNow: 'Answering now',
  answers: (active: number, queued: number) =>
    queued > 0 ? `${active} running, ${queued} waiting` : `${active} running`,
  lost: 'This page lost its agent.',
  lostSince: (when: string) => `What you see is from ${when}. It tries again by itself.`,
  lostCommand: 'peerai up',
  wantsToPair: (name: string) => `${name} wants to pair.`,
  compare: 'Compare',
  pageFailed: 'This page broke',
  notFound: 'There is no such page.',
  goHome: 'Go to Home',
} as const;

export const noSession = {
  title: 'Open this page from your agent',
  why: 'The page needs the key that only your own programs know. This command opens it with the key:',
  command: 'peerai open',
  refusedTitle: 'Your agent does not know this page any more',
  refused: 'Its key has changed, for example after a restart with another home. Open it anew:',
} as const;
