export const ui = {
  close: 'Close',
  copy: 'Copy',
  copied: 'Copied',
  copyFailed: 'This browser does not let a page copy. Select the text and copy it yourself.',
  retry: 'Try again',
  loading: (what: string) => `Loading ${what}`,
  asOf: (when: string) => `as of ${when}`,
  couldNotLoad: (what: string) => `${what} could not be loaded`,
  agentAway: 'The agent on this computer does not answer.',
  agentCommand: 'peerai up',
  fingerprint: (words: string) => `Fingerprint: ${words}`,
} as const;
