import type { GovernanceEvidenceView } from '@peerai/peer/control';

type LieKind = GovernanceEvidenceView['lies'][number]['kind'];

/** What a member of a group did that no honest one does, in the words of PBFT where these name the statement. */
export const lieWords: Readonly<Record<LieKind, string>> = {
  'conflicting-propose': 'proposed two blocks in one attempt (pre-prepare)',
  'conflicting-notarize': 'agreed to two blocks in one attempt (prepare)',
  'conflicting-finalize': 'decided two blocks in one attempt (commit)',
  'nullify-and-finalize': 'gave an attempt up and decided in it (view-change and commit)',
};

export const liesText = (kinds: readonly LieKind[]): string => kinds.map((kind) => lieWords[kind]).join('; ');
