import type { Corpus } from '../src/nano/corpus-types.ts';
import type { NanoBatch, NanoSizes } from '../src/nano/sizes.ts';
import type { Clock } from '@peerai/core-protocol';

/** Five intents, small enough to learn in a test. */
export const toyCorpus: Corpus = {
  intents: [
    {
      name: 'share',
      question: 'How do I share a model?',
      patterns: ['{how do i|how can i|how to} share {a|my|the|this} model{ with a friend| with someone|}'],
      answer: 'Run share and send the link.',
    },
    {
      name: 'price',
      question: 'What does it cost?',
      patterns: [
        '{what does|how much does} {it|this|peerai|that} cost{ me| us|}',
        '{is|are} {it|this|peerai} free{ of charge|}',
      ],
      answer: 'Nothing: it is free.',
    },
    {
      name: 'name',
      question: 'Who are you?',
      patterns: [
        '{who|what} are you{ called| exactly| really|}',
        '{whats|what is|tell me} your name{ please| friend|}',
      ],
      answer: 'I am nano, a small guide.',
    },
    {
      name: 'thanks',
      question: 'Thank you!',
      patterns: ['{thanks|thank you|many thanks}{ a lot| very much| so much|}{ nano| my friend|}'],
      answer: 'You are welcome!',
    },
    {
      name: 'stop',
      question: 'How do I stop it?',
      patterns: ['{how do i|how can i|how to} {stop|quit|end} {it|the agent|this|peerai}{ now|}'],
      answer: 'Press Ctrl and C.',
    },
  ],
  unrelated: {
    train: [
      'who won the world cup',
      'what is the capital of france',
      'write a poem about autumn',
      'how tall is the eiffel tower',
      'recommend a good restaurant',
      'what is seven times eight',
      'when was the moon landing',
      'how do i bake bread',
      'translate dog into spanish',
      'is it going to rain tomorrow',
      'who painted the mona lisa',
      'how long do turtles live',
      'best phone to buy',
      'why is the sky blue',
      'tell me about black holes',
      'how do planes fly',
    ],
    test: ['how old is the universe', 'which river is the longest'],
  },
  refusal: 'I do not know that.',
  heldOutPatterns: { share: ['let my friend use a model'] },
};

export const toySizes: NanoSizes = {
  vocabulary: 160 + 5,
  width: 64,
  layers: 2,
  heads: 2,
  hidden: 64,
  context: 64,
  features: 512,
  topics: 5,
};
export const toyBatch: NanoBatch = { rows: 4, length: 64, learned: 160, heard: 32 };

/** A clock for tests that only need their turn to come. */
export const testClock: Clock = {
  nowMs: () => 0,
  elapsedMs: () => 0,
  async sleep(_, signal) {
    await new Promise<void>((resolve) => void setImmediate(resolve));
    signal?.throwIfAborted();
  },
  deadline: (ms) => AbortSignal.timeout(ms),
};
