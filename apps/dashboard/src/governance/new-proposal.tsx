import type { GovernanceDetail, GovernancePropose } from '@peerai/peer/control';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';
import { useApp } from '../app/context.ts';
import { limits } from '../app/limits.ts';
import { Button } from '../ui/button.tsx';
import { Choice } from '../ui/choice.tsx';
import { ErrorNote } from '../ui/note.tsx';
import { Sheet } from '../ui/sheet.tsx';
import { groupKey } from './group.ts';
import { actionOf, isKind, type ProposalKind, ProposalFields } from './proposal-fields.tsx';
import { wish as words } from './strings.ts';

export function NewProposal({
  view,
  onClose,
}: {
  readonly view: GovernanceDetail;
  readonly onClose: () => void;
}): ReactNode {
  const { client } = useApp();
  const cache = useQueryClient();
  const [kind, setKind] = useState<ProposalKind>('text');
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
            propose.mutate(requestOf(kind, new FormData(event.currentTarget), view));
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
          <ProposalFields key={kind} kind={kind} view={view} />
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

function requestOf(kind: ProposalKind, fields: FormData, view: GovernanceDetail): GovernancePropose {
  // Every field is text; files are not asked for.
  const of = (name: string): string => (fields.get(name) as string | null) ?? '';
  return {
    title: of('title'),
    text: of('text'),
    action: actionOf(kind, of, view),
    openMs: Number(of('openMs')),
    secret: fields.get('secret') !== null,
  };
}
