import { PeerAiError } from '@peerai/core-protocol';
import type { GovernanceEvidenceView, GovernanceVerifyView } from '@peerai/peer/control';
import { command } from '../command.ts';
import { table } from '../plain.ts';
import { counted } from '../words.ts';
import type { ChainChecked } from './gov-files.ts';
import { lieWords } from './lie-words.ts';
import { supplyText } from './points-supply.ts';

const group = { type: 'positional', description: 'Name or id of the group, or its beginning' } as const;
const liesOf = (count: number): string => counted(count, 'proven lie', 'proven lies');

export const evidence = command(
  'evidence',
  'Members that are proven to have said two things at once: who, how, and at which block',
  {
    group: { ...group, required: true },
    save: {
      type: 'string',
      valueHint: 'FILE',
      description: 'Write the proofs there, for peerai gov verify --evidence',
    },
  } as const,
  async ({ args, agent, output, signal }) => {
    const found = await (await agent()).client.governanceEvidence(args.group, signal);
    const { save } = args;
    if (found.lies.length > 0 && save !== undefined) {
      const { writeEvidence } = await import('./gov-files.ts');
      writeEvidence(found, save);
      output.note(
        `${liesOf(found.lies.length)} in ${save}. To check it anywhere: peerai gov verify --evidence ${save}`,
      );
    }
    output.data(found, () => {
      if (found.lies.length === 0)
        return `Nobody is proven to have lied.${save === undefined ? '' : ' Nothing is written.'}`;
      return liesText(found.lies.map((one) => ({ ...one, who: one.name })));
    });
  },
);

export const verify = command(
  'verify',
  'Check every signature of the chain, and do again what it decided; or check a file with a chain or with evidence, with no agent',
  {
    group: { ...group, required: false },
    evidence: { type: 'string', valueHint: 'FILE', description: 'File that peerai gov evidence <group> --save wrote' },
    chain: {
      type: 'string',
      valueHint: 'FILE',
      description:
        'File that peerai gov export <group> --out wrote, checked with no agent; with --evidence: that they were members then, by it',
    },
  } as const,
  async ({ args, agent, output, signal }) => {
    const isFile = args.evidence !== undefined || args.chain !== undefined;
    if ((args.group === undefined) !== isFile)
      throw new PeerAiError('USAGE', 'say which group, or --chain FILE, or --evidence FILE');
    if (args.evidence !== undefined) {
      const { checkEvidence } = await import('./gov-files.ts');
      const lies = await checkEvidence(args.evidence, args.chain);
      const areMembers = args.chain !== undefined;
      output.data({ v: 1, ok: true, membersChecked: areMembers, lies }, () =>
        [
          `✓ ${liesOf(lies.length)}: each time two statements under one key that no honest member makes both.`,
          liesText(lies.map((one) => ({ ...one, who: one.peerId }))),
          ...[...new Set(lies.map((one) => one.group))].map((id) => `Said in the group ${id}.`),
          areMembers
            ? '✓ Each was a member of it at that block, by the chain.'
            : 'Whether they were members of it then is not checked: add --chain FILE, which `peerai gov export <group> --out FILE` writes.',
        ].join('\n'),
      );
      return;
    }
    if (args.chain !== undefined) {
      const { checkGroupChain } = await import('./gov-files.ts');
      const found = await checkGroupChain(args.chain);
      output.data({ v: 1, ok: true, ...found }, () => chainText(found));
      return;
    }
    const found = await (await agent()).client.verifyGovernance(args.group ?? '', signal);
    output.data(found, () =>
      found.ok && found.matches
        ? `${counted(found.blocks, 'block', 'blocks')} and ${found.signatures} signatures hold. State ${found.digest.slice(0, 16)}…\n${signedText(found.signed)}`
        : `Broken after ${counted(found.blocks, 'block', 'blocks')}: ${found.problem ?? 'the state is not what the chain leads to'}`,
    );
    if (!found.ok || !found.matches || found.signed?.ok === false)
      throw new PeerAiError('LEDGER_DAMAGED', 'this chain does not hold');
  },
);

function chainText({ group, name, blocks, signatures, digest, supply, decisions }: ChainChecked): string {
  const rows = decisions.map(({ id, title, yes, no, abstain, electors, secret, result }) => [
    id.slice(0, 12),
    title,
    `${yes} yes, ${no} no, ${abstain} abstain of ${electors}${secret ? ', by ballots' : ''}`,
    result,
  ]);
  return [
    `✓ ${counted(blocks, 'block', 'blocks')} and ${signatures} signatures hold. State ${digest.slice(0, 16)}…`,
    `Of the group ${name}: ${group}. A name is anybody’s; whether it is the group you mean, its id says.`,
    ...(supply.issues.length === 0 ? [] : [supplyText(supply)]),
    ...(rows.length === 0 ? [] : [table([['DECIDED', 'TITLE', 'VOTES', 'RESULT'], ...rows])]),
  ].join('\n');
}

const liesText = (
  lies: readonly (Pick<GovernanceEvidenceView['lies'][0], 'kind' | 'height' | 'view'> & { readonly who: string })[],
): string =>
  table([
    ['LIED', 'HOW', 'BLOCK', 'ATTEMPT'],
    ...lies.map(({ who, kind, height, view }) => [who, lieWords[kind], `${height}`, `${view}`]),
  ]);

function signedText(signed: GovernanceVerifyView['signed']): string {
  if (signed === null) return 'No head is signed by the group yet.';
  const { key, size, ok, problem } = signed;
  return ok
    ? `The group’s own signature is over ${counted(size, 'block', 'blocks')}, by key ${key}.`
    : `The signed head over ${counted(size, 'block', 'blocks')} does not hold: ${problem ?? 'damaged'}`;
}
