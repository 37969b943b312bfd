export const messages = {
  title: 'Messages',
  lead: 'Short messages between your devices. One for a device that is away waits here until it is back.',
  what: 'messages',
  list: 'Received',
  count: (n: number) => `${n} kept`,
  none: 'Nothing yet.',
  noneText: 'What your devices send appears here at once, each message once.',
} as const;

export const form = {
  title: 'Send a message',
  device: 'Device',
  text: 'Message',
  send: 'Send',
  sending: 'Sending…',
  failed: 'The message was not sent',
  noDevice: 'No device is paired yet. Add one on Home.',
  states: {
    delivered: (name: string) => `${name} has it.`,
    queued: (name: string) => `It waits here until ${name} is back.`,
    refused: (name: string) => `${name} refused it.`,
    expired: (name: string) => `${name} did not come back in time.`,
  },
} as const;
