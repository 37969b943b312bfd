export const messages = {
  title: 'Messages',
  lead: 'Short messages between your devices. One for a device that is away waits here until it is back.',
  what: 'messages',
  list: 'Received',
  count: (n: number) => `${n} kept`,
  none: 'Nothing yet.',
  file: (name: string, size: string) => `File: ${name}, ${size}`,
  files: 'See it in Files',
  noneText: 'What your devices send appears here at once, each message once.',
} as const;

export const form = {
  title: 'Send a message',
  to: 'To',
  all: 'All devices',
  text: 'Message',
  priority: 'Priority',
  priorities: { high: 'high: before what waits', normal: 'normal', low: 'low: after what waits' },
  send: 'Send',
  sending: 'Sending…',
  failed: 'The message was not sent',
  states: {
    delivered: (name: string) => `${name} has it.`,
    queued: (name: string) => `It waits here until ${name} is back.`,
    refused: (name: string) => `${name} refused it.`,
    expired: (name: string) => `${name} did not come back in time.`,
  },
  summary: (has: number, of: number) => `${has} of ${of} devices have it.`,
  each: 'Each device',
  short: {
    delivered: 'has it',
    queued: 'waits here until it is back',
    refused: 'refused it',
    expired: 'did not come back in time',
  },
} as const;

export const topics = {
  title: 'Topics',
  text: 'Words to everybody who listens at this moment. Nobody keeps them.',
  name: 'Topic',
  nameHint: '1 to 64 letters, digits, ., _ and -',
  listen: 'Listen',
  stop: 'Stop listening',
  listening: (topic: string) => `Listening to ${topic}`,
  quiet: 'Nothing was said since you listen.',
  ended: 'Listening ended',
  say: (topic: string) => `Say something in ${topic}`,
  note: 'Your devices that listen hear it now; who does not listen never does.',
  heard: 'Heard',
  failed: 'It was not said',
  you: 'You',
} as const;
