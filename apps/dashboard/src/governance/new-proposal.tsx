import type { GovernanceDetail, GovernancePropose } from '@peerai/peer/control';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';
import { useApp } from '../app/context.ts';
import { limits } from '../app/limits.ts';
import { usePeers } from '../app/queries.ts';
import { count } from '../shared/format.ts';
import { Button } from '../ui/button.tsx';
import { Choice } from '../ui/choice.tsx';
import { usableDevices } from '../ui/devices.tsx';
import { ErrorNote } from '../ui/note.tsx';
import { Sheet } from '../ui/sheet.tsx';
import { groupKey } from './group.ts';
import { wish as words } from './strings.ts';

type Kind = keyof typeof words.kinds;
const isKind = (text: string): text is Kind => Object.hasOwn(words.kinds, text);

export function NewProposal({
  view,
  onClose,
}: {
  readonly view: GovernanceDetail;
  readonly onClose: () => void;
}): ReactNode {
  const { client } = useApp();
  const cache = useQueryClient();
  const [kind, setKind] = useState<Kind>('text');
  const { id } = view.group;
  const propose = useMutation({
    mutationFn: (request: GovernancePropose) => client.proposeTo(id, request),
    async onSuccess() {
      await cache.invalidateQueries({ queryKey: groupKey(id) });
      onClose();
    },
  });
  const kinds = Object.entries(words.kinds).filter(([one]) => one !== 'blacklist-remove' || view.blacklist.length > 0);
  return (
    <Sheet title={words.title} icon="vote" onClose={onClose}>
      <section>
        <form
          className="stack"
          onSubmit={(event) => {
            event.preventDefault();
            propose.mutate(requestOf(kind, new FormData(event.currentTarget)));
          }}
        >
          <label className="field">
            {words.kind}
            <select value={kind} onChange={({ target }) => isKind(target.value) && setKind(target.value)}>
              {kinds.map(([one, text]) => (
                <option key={one} value={one}>
                  {text}
                </option>
              ))}
            </select>
          </label>
          <About kind={kind} view={view} />
          <label className="field">
            {words.name}
            <input name="title" required maxLength={limits.proposalTitleCharsMax} autoComplete="off" />
          </label>
          <label className="field">
            {words.text}
            <textarea name="text" rows={3} maxLength={limits.proposalTextCharsMax} />
          </label>
          <Choice label={words.open} name="openMs" words={words.times} chosen="259200000" />
          <label className="opt">
            <input type="checkbox" name="secret" />
            <span>{words.secret}</span>
          </label>
          <Button look="primary" type="submit" disabled={propose.isPending}>
            {propose.isPending ? words.doing : words.act}
          </Button>
          {propose.isError && <ErrorNote title={words.failed} error={propose.error} />}
        </form>
      </section>
    </Sheet>
  );
}

/** The fields that a kind has beside its title. */
function About({ kind, view }: { readonly kind: Kind; readonly view: GovernanceDetail }): ReactNode {
  const { data = [] } = usePeers();
  const choices = (all: readonly { readonly peerId: string; readonly name: string }[]): Record<string, string> =>
    Object.fromEntries(all.map(({ peerId, name }) => [peerId, name]));
  switch (kind) {
    case 'text':
      return null;
    case 'policy':
      return (
        <>
          <Choice
            label={words.policy}
            name="policy"
            words={Object.fromEntries(
              view.policy.map(({ name, value, unit }) => [name, words.policyNow(name, count(value), unit)]),
            )}
          />
          <label className="field">
            {words.value}
            <input name="value" required inputMode="numeric" pattern="\d{1,15}" autoComplete="off" />
          </label>
        </>
      );
    case 'member-remove':
      return <Choice label={words.member} name="peer" words={choices(view.group.members)} />;
    case 'blacklist-remove':
      return <Choice label={words.peer} name="peer" words={choices(view.blacklist)} />;
    case 'blacklist-add':
      return (
        <>
          <Choice label={words.peer} name="peer" words={choices(usableDevices(data))} />
          <label className="field">
            {words.reason}
            <input name="reason" maxLength={limits.proposalReasonCharsMax} autoComplete="off" />
          </label>
        </>
      );
  }
}

function requestOf(kind: Kind, fields: FormData): GovernancePropose {
  // Every field is text; files are not asked for.
  const of = (name: string): string => (fields.get(name) as string | null) ?? '';
  const action: GovernancePropose['action'] =
    kind === 'text'
      ? { type: kind }
      : kind === 'policy'
        ? { type: kind, name: of('policy'), value: Number(of('value')) }
        : kind === 'blacklist-add'
          ? { type: kind, peer: of('peer'), reason: of('reason') }
          : { type: kind, peer: of('peer') };
  return {
    title: of('title'),
    text: of('text'),
    action,
    openMs: Number(of('openMs')),
    secret: fields.get('secret') !== null,
  };
}
