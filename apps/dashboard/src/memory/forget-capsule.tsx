import type { CapsuleDetail } from '@peerai/peer/control';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';
import { useApp } from '../app/context.ts';
import { applyEvent } from '../app/live.ts';
import { Button } from '../ui/button.tsx';
import { Sure } from '../ui/sure.tsx';
import { forgetting as words } from './strings.ts';

/** Says first what it can do and what it cannot. */
export function ForgetCapsule({ capsule: { id, mine, authorName } }: { readonly capsule: CapsuleDetail }): ReactNode {
  const { client } = useApp();
  const cache = useQueryClient();
  const [sure, setSure] = useState(false);
  const forget = useMutation({
    mutationFn: () => client.forgetMemory(id),
    onSuccess: () => applyEvent(cache, { type: 'memory-changed', capsuleId: id, isHere: false }),
  });
  if (!sure)
    return (
      <div className="row">
        <Button look="bad" onClick={() => setSure(true)}>
          {words.act}
        </Button>
      </div>
    );
  return (
    <Sure title={words.sure} act={words.now} doing={forget} onAct={() => forget.mutate()} onKeep={() => setSure(false)}>
      {mine ? (
        <>
          <p>{words.mine}</p>
          <p>{words.cannot}</p>
        </>
      ) : (
        <p>{words.others(authorName)}</p>
      )}
    </Sure>
  );
}
