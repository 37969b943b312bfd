export const memory = {
  title: 'Memory',
  lead: 'What your agent remembers. You decide what is shared.',
  what: 'memories',
  add: 'Remember something',
  tidy: 'Tidy up',
  graph: 'Relations',
  list: 'Remembered',
  room: (count: string, size: string) => `${count} here, ${size}`,
  none: 'Nothing is remembered yet.',
  noneText: 'Write down what you want to find again.',
  noneFits: 'Nothing that is remembered here fits.',
  byMeaning: (name: string) => `Found by meaning, with ${name}.`,
  byWords: 'Found by words and spellings.',
  notRead: (left: string, all: string) => `${left} of ${all} are still to be read by the model.`,
  more: 'Show more',
  moreComes: 'Loading more…',
  moreFailed: 'More was not loaded',
  damaged: (n: string) => `${n} on the disk cannot be opened`,
  damagedText: 'They are left out. The others are not touched by it.',
  choose: 'Choose one to read it.',
  gone: 'This is not here. It was forgotten, became part of another, or was never here.',
  back: 'Back to the memory',
  you: 'you',
  levels: { personal: 'personal', behavioral: 'behavioral', public: 'public' },
} as const;

export const search = {
  title: 'Find',
  text: 'What are you looking for?',
  hint: 'Empty shows everything.',
  tag: 'Tag',
  level: 'Level',
  anyLevel: 'any',
  everywhere: 'Ask my devices too',
  everywhereHint: 'They read what you look for.',
  act: 'Find',
  found: 'Found',
  what: 'what was found',
  all: 'Show everything',
  none: 'Nothing fits.',
  searched: (hits: string, searched: string) => `${hits}, ${searched} compared here.`,
  kinds: { semantic: 'semantic: by meaning', lexical: 'lexical: by words' },
  score: (score: string) => `score ${score}`,
  at: (name: string) => `at ${name}`,
  onlyThere: (name: string) => `It is at ${name} and not kept here.`,
  problem: 'Found by words only',
  leftOut: (n: string) => `${n} could not be compared: what embedded them is not here or failed.`,
  asked: 'Devices that were asked',
  answered: (name: string, hits: string) => `${name} answered: ${hits}.`,
  away: (name: string, why: string) => `${name} did not answer (${why}).`,
  nobody: 'No other device could be asked.',
} as const;

export const adding = {
  title: 'Remember something',
  text: 'Text',
  tags: 'Tags',
  tagsHint: 'With commas between them',
  level: 'Who may have it',
  levels: {
    personal: 'Personal: it stays on this computer and is shared with nobody.',
    behavioral:
      'Behavioral: you may share it, and devices that may search your memory find it. They may not hand it on.',
    public: 'Public: you may share it, devices that may search your memory find it, and whoever has it may hand it on.',
  },
  act: 'Remember',
  doing: 'Remembering…',
  failed: 'It was not remembered',
} as const;

export const capsule = {
  noText: (type: string, size: string) => `This is no text (${type}, ${size}).`,
  author: 'Author',
  created: 'Written',
  level: 'Level',
  tags: 'Tags',
  quality: 'Quality',
  importance: 'Importance',
  uses: 'Found',
  times: (n: string) => `${n} so far`,
  details: 'Details',
  kept: 'Here since',
  novelty: 'Novelty',
  kind: 'Compared',
  embedder: 'Embedder',
  size: 'Size',
  id: 'Id',
  relations: 'Relations',
  kinds: { replaces: 'replaces', follows: 'follows', related: 'is related to' },
} as const;

export const sharing = {
  title: 'Share',
  to: 'Device',
  act: 'Share',
  doing: 'Sharing…',
  failed: 'It was not shared',
  taken: (name: string) => `${name} has it now.`,
  known: (name: string) => `${name} had it already.`,
  waiting: (name: string) => `${name} is away and gets it when it is back.`,
  personal:
    'It is personal, so it stays on this computer. To share what it says, remember it again as behavioral or public.',
  others: (name: string) => `${name} shared it with you alone. Only its author may hand it on.`,
} as const;

export const waiting = {
  title: 'Waiting for devices',
  to: (name: string) => `For ${name}`,
  away: 'It goes there when the device is back.',
  refused: (why: string) => `${why} It is offered again when the device is back.`,
  cancel: 'Do not send',
  cancelOne: (name: string) => `Do not send it to ${name}`,
  failed: 'It was not called back',
} as const;

export const graph = {
  title: 'How it hangs together',
  what: 'the relations',
  close: 'Close',
  none: 'Nothing is remembered yet.',
  rule: (shown: string, all: string) =>
    `The newest ${shown} of ${all}. A thick line: one names the other, or was made from it. A thin line: they are alike, with a cosine of 0.5 or more. A dashed line: they share a tag, or came from the same other peer. Full points are yours.`,
  list: (n: string) => `The same as a list: ${n} lines`,
  says: {
    replaces: (from: string, to: string) => `“${from}” was made from “${to}”`,
    follows: (from: string, to: string) => `“${from}” follows “${to}”`,
    related: (from: string, to: string) => `“${from}” is related to “${to}”`,
    near: (from: string, to: string, cosine: number) => `“${from}” and “${to}” are alike (${cosine.toFixed(2)})`,
    source: (from: string, to: string) => `“${from}” and “${to}” came from the same peer`,
    tag: (from: string, to: string) => `“${from}” and “${to}” share a tag`,
  },
} as const;

export const forgetting = {
  act: 'Forget',
  sure: 'Forget this?',
  now: 'Forget it now',
  mine: 'It is deleted here, and this cannot be undone. Devices that got it from you are told to delete it too, those that are away when they are back.',
  cannot:
    'It cannot be taken back from a program that does not keep to this, from those who have read it, or from devices that got it from somebody else.',
  others: (name: string) => `It is deleted here, and this cannot be undone. ${name} and others who have it keep it.`,
} as const;

export const ownDevices = {
  open: 'Own devices',
  title: 'Your other devices',
  text: 'Devices that you declared your own, and that declared this one theirs, keep all memories and clusters the same, personal ones too. Declare one in its sheet on the page Home.',
  what: 'your devices',
  none: 'No paired device is declared your own.',
  here: 'here',
  away: 'away; compared when it is back',
  never: 'Not compared yet.',
  synced: (when: string) => `Compared ${when}.`,
  nothing: 'It brought nothing new since this agent started.',
  brought: (memories: string, forgotten: number, clusters: string) =>
    `It brought ${memories} and ${clusters} since this agent started${forgotten === 0 ? '' : `, and ${forgotten} to forget`}.`,
  conflicts: (n: number) =>
    n === 1
      ? 'One cluster was changed at both apart: the one that worked more stayed.'
      : `${n} clusters were changed at both apart: those that worked more stayed.`,
  compare: 'Compare now',
  comparing: 'Comparing…',
  compared: 'Compared.',
  failed: 'They were not compared',
} as const;

export const tidying = {
  title: 'Tidy up',
  text: 'What is old and was seldom found is removed, and what says nearly the same becomes one.',
  undoText: 'You can undo it for a week. Where there is little room, what was removed goes for good earlier.',
  act: 'Tidy up now',
  doing: 'Tidying up…',
  failed: 'It was not tidied up',
  nothing: 'There was nothing to tidy up.',
  done: (expired: string, replaced: string, merged: string) => `${expired} removed, ${replaced} became ${merged}.`,
  until: (when: string) => `This can be undone until ${when}.`,
  undo: 'Undo the last tidying',
  undoing: 'Undoing…',
  undoFailed: 'It was not undone',
  restored: (n: string) => `${n} back.`,
  nothingBack: 'Nothing came back.',
} as const;
