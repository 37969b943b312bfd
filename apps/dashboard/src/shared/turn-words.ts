/** Words about one answer, the same for the owner and for a guest. Their markup is written twice: the guest's page is Preact, for its size. */
export const turnWords = {
  message: (model: string) => `Message ${model}`,
  conversation: 'Conversation',
  model: 'Model',
  stop: 'Stop',
  answering: 'answering',
  didYouMean: 'Did you mean',
  stopped: 'Stopped by you. This part is kept.',
  cutLength: 'The answer reached its length limit.',
  beforeFirstWord: (peer: string) => `${peer} did not answer`,
  middle: (peer: string) => `${peer} broke off in the middle of the answer`,
  signed: 'signed ✓',
  notSigned: 'not signed',
  evidence: 'evidence',
} as const;
