/** What a person can do about a code, in one sentence; the same words in the command line, the API and the pages. */
const hints: Readonly<Record<string, string>> = {
  PEER_UNREACHABLE: 'Is the other device on, and its relay reachable? `peerai doctor` names the step that fails.',
  PEER_LOST: 'The other device went away; ask again, or ask another model.',
  CHANNEL_CLOSED: 'The connection broke; ask again.',
  ANSWER_INTERRUPTED: 'The link was away too long and the answer was stopped; ask again.',
  RESUME_GONE: 'The rest of that answer is not kept any more; ask again.',
  REQUEST_ID_REUSED: 'Ask again; the program reused the id of another question.',
  UNSUPPORTED: 'This version cannot carry that; leave it out.',
  ENGINE_UNREACHABLE: 'Start the engine on the device that answers (for example `ollama serve`), then ask again.',
  ENGINE_FAILED: 'The engine broke off; its own log says why.',
  ENGINE_MISSING: 'Install the package the message names, or choose another engine.',
  MODEL_UNKNOWN: '`peerai models ls` lists what can be asked.',
  DEVICE_UNKNOWN: '`peerai peers ls` lists the devices; `peerai invite` adds one.',
  NO_MODELS: 'Start Ollama or a llama.cpp server, or run with `--engine nano`.',
  PROMPT_TOO_LONG: 'Shorten the question or start a new conversation.',
  QUEUE_FULL: 'The other device is busy; try again in a moment.',
  TOO_MANY: 'Another answer under this link is still running; wait for it.',
  TOO_MANY_GUESTS: 'This link is used by as many people as it allows; ask its owner for another.',
  BUDGET_SPENT: "This link's tokens are used up; ask its owner for another.",
  TICKET_EXPIRED: 'This link has ended; ask its owner for another.',
  TICKET_REVOKED: 'The owner stopped this link.',
  TICKET_INVALID: 'Copy the whole link again; its end carries the key.',
  MODEL_NOT_SHARED: 'This link is for another model.',
  NOT_GRANTED:
    'Its owner decides: `peerai peers allow <device> <rights>` over there, or an invite or a link for who has none.',
  PEER_BLOCKED: 'The owner of that device blocked this one.',
  RECEIPT_UNSIGNED: 'The receipt of your last answer is not signed yet; reload the page to sign it.',
  ANSWERS_UNENDORSED:
    'Your device has not endorsed its last answers for the contract: is its chain’s node there? `peerai market settlement` says.',
  INVITE_EXPIRED: 'Run `peerai invite` on the other device again.',
  INVITE_USED: 'Each invite lets one device in: run `peerai invite` on the other device again.',
  INVITE_INVALID: 'Copy the whole line that `peerai invite` printed on the other device, or run it there again.',
  SELF_PAIRING: 'Run `peerai join` on the other device, with this link.',
  PAIRING_GONE: 'It was answered or its ten minutes are over: run `peerai invite` again.',
  TOO_MANY_PAIRINGS: 'Answer those that wait: `peerai peers ls` lists them.',
  TIMEOUT: 'It took too long; try again, or see `peerai doctor`.',
  LEDGER_DAMAGED:
    '`peerai ledger repair` puts it right out of its own rows or a paired device’s copy; nothing is added to it before.',
  LEDGER_BEHIND:
    '`peerai ledger repair` brings back what is missing; `peerai ledger go-on` adds without it, and others then see two histories.',
  STORE_FULL: 'The disk is full; make room, then start again.',
  STORE_BROKEN: 'Stop the agent, move the damaged file away or restore a backup.',
};

export function hintFor(code: string): string | undefined {
  return hints[code];
}
