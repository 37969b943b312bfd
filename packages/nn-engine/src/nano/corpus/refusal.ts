/** What the guide says to a question that is not in its corpus. */
export const refusal =
  'I am only a small built-in guide and know PeerAI, not the rest of the world; for other questions, choose a real model in the model list.';
