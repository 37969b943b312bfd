import * as schemas from '@peerai/peer/schemas';
import type { ReputationView } from '@peerai/peer/control';

const stranger = { reason: 'stranger', text: 'where everybody begins', contribution: 0.3, times: null };

/** A good name, one that is refused, ones nothing is known of, and one too low for a lease. */
export function fixtureReputations(nowMs: number): ReputationView[] {
  return [
    {
      peerId: '12D3KooWStudy',
      name: 'study-pc',
      paired: true,
      score: 0.745,
      lines: [
        stranger,
        { reason: 'answered', text: '31 answers it gave, signed by both', contribution: 0.412, times: 31 },
        { reason: 'task-done', text: '4 tasks it did', contribution: 0.053, times: 4 },
        { reason: 'timed-out', text: '2 answers that did not come in time', contribution: -0.031, times: 2 },
        { reason: 'said', text: 'what pixel says of it', contribution: 0.011, times: null },
      ],
      refused: null,
    },
    {
      peerId: '12D3KooWPixel',
      name: 'pixel',
      paired: true,
      score: 0.014,
      lines: [
        stranger,
        {
          reason: 'equivocation',
          text: '1 proof that it signed two histories of its log',
          contribution: -0.286,
          times: 1,
        },
      ],
      refused: {
        deed: 'equivocation',
        text: '1 proof that it signed two histories of its log',
        strikes: 2,
        sinceMs: nowMs - 1_200_000,
        untilMs: nowMs + 6_000_000,
        leftMs: 6_000_000,
      },
    },
    { peerId: '12D3KooWAttic', name: 'attic-nas', paired: true, score: 0.3, lines: [stranger], refused: null },
    {
      peerId: '12D3KooWGone7f3a91c2',
      name: 'guest-3a91c2',
      paired: false,
      score: 0.3,
      lines: [stranger],
      refused: null,
    },
    {
      peerId: '12D3KooWLab',
      name: 'lab-nuc',
      paired: true,
      score: 0.231,
      lines: [
        stranger,
        {
          reason: 'wrong-work',
          text: '1 time that its work did not fit what it had signed',
          contribution: -0.069,
          times: 1,
        },
      ],
      refused: null,
    },
  ];
}

/** The routes of reputation over a state that keeps what it is told. */
export function answerReputation(
  state: { reputations: ReputationView[] },
  { method, path }: { readonly method: string; readonly path: string },
): unknown {
  const [, , id] = path.split('/').map(decodeURIComponent);
  if (method === 'DELETE')
    state.reputations = state.reputations.map((one) => (one.peerId === id ? { ...one, refused: null } : one));
  if (id === undefined)
    return schemas.reputationsSchema.parse({
      v: 1,
      peers: state.reputations,
      strangerScore: 0.3,
      refuseBelow: 0.2,
      admissionMin: 0.25,
    });
  const reputation = state.reputations.find(({ peerId, name }) => peerId === id || name === id);
  return reputation && schemas.reputationDetailSchema.parse({ v: 1, reputation, admissionMin: 0.25 });
}
