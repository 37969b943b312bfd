import type { GovernanceDetail, GovernancePropose } from '@peerai/peer/control';
import { useState, type ReactNode } from 'react';
import { limits } from '../app/limits.ts';
import { usePeers } from '../app/queries.ts';
import { CreditsField } from '../market/credits-field.tsx';
import { microOf } from '../market/credits.ts';
import { Choice } from '../ui/choice.tsx';
import { usableDevices } from '../ui/devices.tsx';
import { amountIn, isAmount } from './group.ts';
import { wish as words } from './strings.ts';

export type ProposalKind = keyof typeof words.kinds;
export const isKind = (text: string): text is ProposalKind => Object.hasOwn(words.kinds, text);

const choices = (all: readonly { readonly peerId: string; readonly name: string }[]): Record<string, string> =>
  Object.fromEntries(all.map(({ peerId, name }) => [peerId, name]));

/** The fields that a kind has beside its title. */
export function ProposalFields({
  kind,
  view,
}: {
  readonly kind: ProposalKind;
  readonly view: GovernanceDetail;
}): ReactNode {
  const { data = [] } = usePeers();
  switch (kind) {
    case 'text':
      return null;
    case 'policy':
      return <PolicyFields view={view} />;
    case 'member-remove':
      return <Choice label={words.member} name="peer" words={choices(view.group.members)} />;
    case 'blacklist-remove':
      return <Choice label={words.peer} name="peer" words={choices(view.blacklist)} />;
    case 'blacklist-add':
      return (
        <>
          <Choice label={words.peer} name="peer" words={choices(outsiders(view, usableDevices(data)))} />
          <Reason />
        </>
      );
    case 'points':
      return (
        <>
          <Choice label={words.member} name="peer" words={choices(view.group.members)} />
          <CreditsField label={words.amount} first="1" />
          <Reason />
        </>
      );
    case 'checkpoint':
      return (
        <>
          <label className="field">
            {words.hashName}
            <input name="name" required maxLength={limits.checkpointNameCharsMax} autoComplete="off" />
          </label>
          <label className="field">
            {words.hash}
            <input name="sha256" required pattern="[0-9a-fA-F]{64}" autoComplete="off" spellCheck={false} />
          </label>
        </>
      );
    case 'relays':
      return (
        <label className="field">
          {words.relays}
          <textarea name="addresses" rows={3} defaultValue={view.relays.addresses.join('\n')} spellCheck={false} />
        </label>
      );
  }
}

/** Whom a group may refuse: a member has to go first. */
const outsiders = <One extends { readonly peerId: string }>(
  { group }: GovernanceDetail,
  devices: readonly One[],
): readonly One[] => devices.filter(({ peerId }) => group.members.every((one) => one.peerId !== peerId));

function PolicyFields({ view: { policy } }: { readonly view: GovernanceDetail }): ReactNode {
  const [chosen, setChosen] = useState(policy[0]?.name);
  const unit = policy.find(({ name }) => name === chosen)?.unit ?? '';
  return (
    <>
      <label className="field">
        {words.policy}
        <select name="policy" value={chosen} onChange={({ target }) => setChosen(target.value)}>
          {policy.map(({ name, value, unit: of }) => (
            <option key={name} value={name}>
              {words.policyNow(name, amountIn(value, of))}
            </option>
          ))}
        </select>
      </label>
      <label className="field">
        {words.value(isAmount(unit) ? words.points : unit)}
        <input
          name="value"
          required
          inputMode="decimal"
          pattern={isAmount(unit) ? String.raw`\d{1,9}(\.\d{1,6})?` : String.raw`\d{1,15}`}
          autoComplete="off"
        />
      </label>
    </>
  );
}

function Reason(): ReactNode {
  return (
    <label className="field">
      {words.reason}
      <input name="reason" maxLength={limits.proposalReasonCharsMax} autoComplete="off" />
    </label>
  );
}

/** What the fields of a kind ask for. */
export function actionOf(
  kind: ProposalKind,
  of: (field: string) => string,
  { policy }: Pick<GovernanceDetail, 'policy'>,
): GovernancePropose['action'] {
  switch (kind) {
    case 'text':
      return { type: kind };
    case 'policy': {
      const name = of('policy');
      const value = isAmount(policy.find((one) => one.name === name)?.unit) ? microOf(of('value')) : of('value');
      return { type: kind, name, value: Number(value) };
    }
    case 'points':
      return { type: kind, peer: of('peer'), amountMicro: microOf(of('credits')), reason: of('reason') };
    case 'checkpoint':
      return { type: kind, name: of('name'), sha256: of('sha256').toLowerCase() };
    case 'relays':
      return {
        type: kind,
        addresses: of('addresses')
          .split(/\s+/u)
          .filter((one) => one !== ''),
      };
    case 'blacklist-add':
      return { type: kind, peer: of('peer'), reason: of('reason') };
    default:
      return { type: kind, peer: of('peer') };
  }
}
